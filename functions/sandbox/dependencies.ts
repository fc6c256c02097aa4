import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { sourcesOf } from "#lib/code/confined/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import type { SandboxPorts } from "#lib/sandbox/sandbox-ports.ts";

/** The production ports for one message. */
export function sandboxPorts(context: AgentContext): SandboxPorts {
  return { ...sourcesOf(context), sandboxLimits: config.sandboxLimits };
}
