import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { sourcePortsOf } from "#lib/code/source/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import type { CodegenPorts } from "./ports.ts";

/** The real ports, for one message. */
export function codegenPorts(context: AgentContext): CodegenPorts {
  return { source: sourcePortsOf(context), model: config.environment().model };
}
