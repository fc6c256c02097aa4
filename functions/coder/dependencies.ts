import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { confinedCodeFor } from "#lib/code/confined/confined-code.ts";
import { sourcesOf } from "#lib/code/confined/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import { codegenPolicyFor } from "#lib/platform/config/model-choice.ts";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import { modelKey } from "#lib/platform/secrets/model-key.ts";
import type { CoderPorts } from "./run-coding-agent.ts";

/** The production ports for one message. */
export function coderPorts(context: AgentContext): CoderPorts {
  const { tenant } = context.envelope;
  const { table, runtime, settings } = awsPorts();
  const { table_name, stage } = settings;
  return {
    ...sourcesOf(context),
    sandboxLimits: config.sandboxLimits,
    code: confinedCodeFor(context),
    codegen: () => config.codegen().value,
    policy: codegenPolicyFor(config.codegen().value, { tenant, stage }),
    budget: { table, table_name, now: runtime.now },
    readKey: modelKey,
  };
}
