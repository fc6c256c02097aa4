import type { AgentContext } from "#lib/agent/agent.ts";
import { config } from "#lib/config/config.ts";
import { sourcePortsOf } from "#lib/source/sources-of.ts";
import type { CodegenPorts } from "./ports.ts";

/** The real ports, for one message. */
export function codegenPorts(context: AgentContext): CodegenPorts {
  return { source: sourcePortsOf(context), model: config.environment().model };
}
