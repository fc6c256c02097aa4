import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import { sourcesOf } from "#lib/code/source/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import type { BuildtestPorts } from "./ports.ts";

/** The real ports, for one message. */
export function buildtestPorts(context: AgentContext): BuildtestPorts {
  return { ...sourcesOf(context), sandboxLimits: config.sandboxLimits, applyDiff };
}
