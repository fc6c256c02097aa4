import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import { type CodegenPolicy, ModelEntry } from "#schemas/config/codegen.ts";

export const MODEL_KEY = "key-of-this-test-0123456789";

interface Differing {
  model?: Partial<ModelEntry> & { endpoint?: string };
  policy?: Partial<CodegenPolicy>;
}

/** A model as configs/codegen.json and the environment give it, with these differences. */
export function modelChoice({ model = {}, policy = {} }: Differing = {}): ModelChoice {
  const config = ModelEntry.parse({ provider: "openai-compatible", model: "some-model" });
  return {
    ...config,
    ...model,
    name: "ours",
    secret: MODEL_KEY,
    circuit: model.circuit ?? "ours",
    policy: {
      model: "ours",
      turns_max: 4,
      task_tokens_max: 1_000_000,
      task_usd_max: null,
      tenant_day_tokens_max: null,
      tenant_day_usd_max: null,
      flagged_files_allowed: [],
      ...policy,
    },
  };
}
