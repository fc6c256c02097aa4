import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { confinedCodeFor } from "#lib/code/confined/confined-code.ts";
import { readTreeByFile } from "#lib/code/confined/read-tree-by-file.ts";
import { sourcePortsOf } from "#lib/code/confined/sources-of.ts";
import { config } from "#lib/platform/config/config.ts";
import { chooseModel, codegenPolicyFor, keyProblem } from "#lib/platform/config/model-choice.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import { modelKey } from "#lib/platform/secrets/model-key.ts";
import { runOnce } from "#lib/resilience/idempotency/run-once.ts";
import type { CodegenPorts, ModelPorts } from "./ports.ts";

const DAY_SECONDS = 86_400;

/** The real ports, for one message. */
export function codegenPorts(context: AgentContext): CodegenPorts {
  return {
    source: sourcePortsOf(context),
    code: confinedCodeFor(context),
    codemod: config.computationLimits().value,
    model: modelPorts(context),
    flaggedFilesAllowed: () => {
      const question = { tenant: context.envelope.tenant, stage: awsPorts().settings.stage };
      return codegenPolicyFor(config.codegen().value, question).flagged_files_allowed;
    },
  };
}

function modelPorts(context: AgentContext): ModelPorts {
  const { tenant } = context.envelope;
  const { table, runtime, settings } = awsPorts();
  const graph = config.graph().value;
  const { table_name, stage, lease_seconds } = settings;
  return {
    async choose() {
      const question = { tenant, stage };
      const named = chooseModel(config.codegen().value, question, settings.model, "unseen");
      if ("problem" in named) throw new RejectedInput("MODEL_NOT_CONFIGURED", named.problem);
      const { api_key, endpoint } = named.choice;
      const secret = api_key === null ? "" : await modelKey(api_key);
      const keyless = secret === "" && endpoint === undefined ? keyProblem(named.choice) : undefined;
      if (keyless) throw new RejectedInput("MODEL_NOT_CONFIGURED", keyless);
      return { ...named.choice, secret };
    },
    graph,
    readTree: (directory) => readTreeByFile(directory, graph, context),
    once(key, source, work) {
      const expires_after_seconds = config.artifacts().value.tasks_days * DAY_SECONDS;
      const options = { table, table_name, runtime, namespace: "model_answers", lease_seconds };
      return runOnce({ ...options, expires_after_seconds }, key, source, work);
    },
    budget: { table, table_name, now: runtime.now },
  };
}
