import type { AgentContext } from "#lib/agent/agent.ts";
import { config } from "#lib/config/config.ts";
import type { CodegenPorts } from "./ports.ts";

/** The real ports, for one message. */
export function codegenPorts({ blobs, signal }: AgentContext): CodegenPorts {
  return {
    source: {
      blobs,
      signal,
      limits: config.sandboxLimits().value,
      allow_private_hosts: config.environment().allow_private_git_hosts,
    },
  };
}
