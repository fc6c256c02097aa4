import { z } from "zod";

/** The variables that may hold a key: serverless.yml gives these, and no others, to the function that asks models. */
export const MODEL_KEY_VARIABLES = [
  "MODEL_API_KEY",
  "MODEL_API_KEY_ANTHROPIC",
  "MODEL_API_KEY_BEDROCK",
  "MODEL_API_KEY_OPENAI",
] as const;

const Price = z.number().min(0).max(100_000);

/** One model behind one endpoint. It holds no secret. */
export const ModelEntry = z.strictObject({
  provider: z
    .enum(["openai-compatible", "anthropic", "amazon-bedrock"])
    .describe(
      "wire protocol: `openai-compatible` (chat completions), `anthropic` (messages), `amazon-bedrock` (Converse)",
    ),
  model: z.string().min(1).max(256).describe("the model's name at the endpoint"),
  base_url: z
    .url({ protocol: /^https?$/ })
    .describe(
      "the endpoint's URL up to and with its version, for example http://127.0.0.1:11434/v1; required for `openai-compatible`, else the provider's own",
    )
    .optional(),
  region: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/)
    .describe("AWS region, for `amazon-bedrock` only; the function's own when absent")
    .optional(),
  api_key: z
    .enum(MODEL_KEY_VARIABLES)
    .nullable()
    .default("MODEL_API_KEY")
    .describe(
      "the environment variable with the key, which a deployed stage fills from Secrets Manager; null: no key is sent, or, with `amazon-bedrock`, requests are signed with the AWS credentials of the environment",
    ),
  temperature: z.number().min(0).max(2).nullable().default(0).describe("null: none is sent"),
  edit_form: z
    .enum(["tools", "text"])
    .default("text")
    .describe("how edits are written: by tool calls, or in the text form, which every model can write"),
  stream: z.boolean().default(true).describe("read the answer as it is written, so that a stall is noticed"),
  output_tokens_max: z.int().min(256).max(1_000_000).default(8192).describe("tokens of one answer at most"),
  input_tokens_max: z
    .int()
    .min(2000)
    .max(10_000_000)
    .default(100_000)
    .describe("tokens of one question at most, by a bound that no tokenizer exceeds: a token a byte"),
  answer_seconds_max: z.number().min(0.1).max(840).default(240).describe("s for a whole answer"),
  stall_seconds_max: z
    .number()
    .min(0.1)
    .max(840)
    .default(60)
    .describe("s without a byte after which a stream counts as stalled, and is asked for again"),
  usd_per_million_tokens: z
    .strictObject({
      input: Price.describe("USD a million tokens of questions"),
      cached_input: Price.describe("the same for tokens the endpoint read from its cache").optional(),
      output: Price.describe("USD a million tokens of answers"),
    })
    .default({ input: 0, output: 0 })
    .describe("prices; with 0 no money is counted"),
});
export type ModelEntry = z.infer<typeof ModelEntry>;

const ModelName = z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/);
const Tokens = z.int().min(1).max(1_000_000_000);
const Dollars = z.number().min(0).max(1_000_000);

/** Which model answers, and what it may cost. */
export const CodegenPolicy = z.strictObject({
  model: ModelName.nullable().describe(
    "a name in `models`; null: the one of MODEL_URL, MODEL_NAME and MODEL_API_KEY, if these are set",
  ),
  turns_max: z
    .int()
    .min(1)
    .max(10)
    .describe("questions in one round: the change, then what was refused of it"),
  task_tokens_max: Tokens.describe("tokens of all questions and answers of one task"),
  task_usd_max: Dollars.nullable().describe("USD for one task; null: no limit"),
  tenant_day_tokens_max: Tokens.nullable().describe("tokens of one tenant on one day (UTC); null: no limit"),
  tenant_day_usd_max: Dollars.nullable().describe("USD of one tenant on one day (UTC); null: no limit"),
});
export type CodegenPolicy = z.infer<typeof CodegenPolicy>;

const Label = z.string().min(1).max(64);

const CodegenOverride = CodegenPolicy.partial().extend({
  match: z
    .strictObject({
      tenant: Label.describe("tenant id").optional(),
      stage: Label.describe("deployment stage, for example `prod`").optional(),
    })
    .refine((match) => Object.values(match).some((label) => label !== undefined), {
      error: "name a tenant or a stage: what applies to all belongs in defaults",
    })
    .describe("labels the task must have; more labels win, then the later entry"),
});

const OVERRIDES_MAX = 200;

/** `configs/codegen.json`: the models that answer changes in words, for which tenant and stage, and what they may cost. */
export const CodegenConfig = z.strictObject({
  $schema: z.string(),
  models: z.record(ModelName, ModelEntry).describe("name → model"),
  defaults: CodegenPolicy,
  overrides: z.array(CodegenOverride).max(OVERRIDES_MAX).default([]),
});
export type CodegenConfig = z.infer<typeof CodegenConfig>;
