import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { confinedCodeFor } from "#lib/code/confined/confined-code.ts";
import { sourcesOf } from "#lib/code/confined/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import type { BuildtestPorts } from "./build-and-test.ts";

/** The production ports for one message. */
export function buildtestPorts(context: AgentContext): BuildtestPorts {
  return { ...sourcesOf(context), sandboxLimits: config.sandboxLimits, code: confinedCodeFor(context) };
}
