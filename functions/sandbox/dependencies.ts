import type { AgentContext } from "#lib/agent/agent.ts";
import { config } from "#lib/config/config.ts";
import { sourcesOf } from "#lib/source/sources-of.ts";
import type { SandboxPorts } from "./ports.ts";

/** The real ports, for one message. */
export function sandboxPorts(context: AgentContext): SandboxPorts {
  return { ...sourcesOf(context), sandboxLimits: config.sandboxLimits };
}
