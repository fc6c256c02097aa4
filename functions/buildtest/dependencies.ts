import type { AgentContext } from "#lib/agent/agent.ts";
import { config } from "#lib/config/config.ts";
import { applyDiff } from "#lib/diff/apply-diff.ts";
import { sourcesOf } from "#lib/source/sources-of.ts";
import type { BuildtestPorts } from "./ports.ts";

/** The real ports, for one message. */
export function buildtestPorts(context: AgentContext): BuildtestPorts {
  return { ...sourcesOf(context), sandboxLimits: config.sandboxLimits, applyDiff };
}
