import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { confinedCodeFor } from "#lib/code/confined/confined-code.ts";
import { sourcePortsOf } from "#lib/code/confined/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import type { CodegenPorts } from "./ports.ts";

/** The real ports, for one message. */
export function codegenPorts(context: AgentContext): CodegenPorts {
  return {
    source: sourcePortsOf(context),
    code: confinedCodeFor(context),
    codemod: config.computationLimits().value,
    model: config.environment().model,
  };
}
