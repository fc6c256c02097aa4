import { z } from "zod";
import { AllowedNetwork, FilesystemAccess, SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { FlagClass } from "#schemas/flags.ts";
import { AgentName } from "#schemas/messages/coder.ts";
import { ReportGlob } from "#schemas/messages/report-globs.ts";
import { NO_CONTROLS } from "#schemas/primitives.ts";

/**
 * The name of a key: a variable of the environment, or on a deployed stage the last part of a secret's id in Secrets
 * Manager. The prefix keeps every other variable and secret out of reach.
 */
export const MODEL_KEY_NAME = /^MODEL_API_KEY(?:_[A-Z0-9]{1,40}){0,4}$/;

const KeyName = z
  .string()
  .regex(MODEL_KEY_NAME, "MODEL_API_KEY, or MODEL_API_KEY_ and a name in capitals and digits");

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
  api_key: KeyName.nullable()
    .default("MODEL_API_KEY")
    .describe(
      "name of the key: the environment variable that holds it, or on a deployed stage the secret `distributed-agents/<stage>/<name>`; null: no key is sent, or, with `amazon-bedrock`, requests are signed with the AWS credentials of the environment",
    ),
  circuit: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
    .describe(
      "name of the circuit before its endpoint; absent: provider and host, so that models behind one endpoint share it",
    )
    .optional(),
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

const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/);

/** Where a coding agent states the tokens and the money that it used. */
const AgentUsage = z.strictObject({
  file: z
    .string()
    .max(500)
    .regex(NO_CONTROLS, "no control character")
    .regex(/^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$)).*[^/]$/, "a relative path without . and .. as parts")
    .optional()
    .describe(
      "path of a file that the command writes, below its home directory ($HOME); absent: what it prints",
    ),
  lines: z
    .array(z.string().min(1).max(1000).regex(NO_CONTROLS))
    .max(10)
    .default([])
    .describe(
      "forms of lines that state it, such as `Tokens: {input_tokens} sent, {output_tokens} received.`, with {tokens}, {input_tokens}, {cached_input_tokens}, {output_tokens}, {usd} for numbers and {*} for any other text; every place that matches is added up. Empty: JSON objects with these fields",
    ),
});

/** A coding agent of the operator's: a command that changes the tree it runs in. It holds no secret. */
export const AgentEntry = z.strictObject({
  command: z
    .string()
    .min(1)
    .max(4096)
    .regex(NO_CONTROLS, "no control character but tab and line feed")
    .describe(
      "shell command, run in the tree's root; {prompt} stands for the task's words and {prompt_file} for a file with them, both quoted. They are in AGENT_PROMPT and AGENT_PROMPT_FILE too",
    ),
  secrets: z
    .record(VariableName, KeyName)
    .default({})
    .describe("variable of the command → name of the key it gets, as `api_key` of a model has it"),
  environment: z
    .record(VariableName, z.string().max(4096))
    .default({})
    .describe("further variables of the command; they replace those of the profile"),
  hosts: AllowedNetwork.shape.hosts
    .default([])
    .describe("hosts that it may reach by TLS, through the filtering proxy: its model's endpoint"),
  private_hosts: AllowedNetwork.shape.private_hosts
    .default({})
    .describe("hosts that may have an address that is not public, and which"),
  network_bytes_max: AllowedNetwork.shape.bytes_max.default(268_435_456),
  read_only: FilesystemAccess.shape.read_only
    .default([])
    .describe("paths of the machine that it may read: where its programs are, if not below /usr"),
  profile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("a name in configs/sandbox_limits.json, whose limits hold; null: the task's"),
  wall_seconds: SandboxProfile.shape.wall_seconds
    .optional()
    .describe("elapsed time of one run; absent: the profile's"),
  output_bytes_max: SandboxProfile.shape.output_bytes_max
    .optional()
    .describe("bytes that it may print; absent: the profile's"),
  protected_files: z
    .array(ReportGlob)
    .max(100)
    .default([])
    .describe("paths of the tree that it must not change, with *, ? and **; a change of one is refused"),
  left_out_files: z
    .array(ReportGlob)
    .max(100)
    .default(["**/node_modules/**", "**/.venv/**", "**/__pycache__/**", "**/*.pyc", "**/.aider*/**"])
    .describe("new files that are no part of the change, with *, ? and **"),
  usage: AgentUsage.optional().describe(
    "where the command states what it used of its model; absent: its use is not stated, and no budget holds for it",
  ),
  tenants: z
    .array(z.string().min(1).max(64))
    .max(200)
    .nullable()
    .default(null)
    .describe("tenants that may use it; null: all"),
});
export type AgentEntry = z.infer<typeof AgentEntry>;

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
  flagged_files_allowed: z
    .array(FlagClass)
    .describe(
      "kinds of flagged files that a model, or an agent, may change; a change of any other is refused. A submitted patch or codemod is only flagged",
    ),
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

/** `configs/codegen.json`: the models and agents that make changes in words, for which tenant and stage, and what they may cost. */
export const CodegenConfig = z.strictObject({
  $schema: z.string(),
  models: z.record(ModelName, ModelEntry).describe("name → model"),
  agents: z.record(AgentName, AgentEntry).default({}).describe("name → coding agent, for `--agent <name>`"),
  defaults: CodegenPolicy.extend({
    flagged_files_allowed: CodegenPolicy.shape.flagged_files_allowed.default([]),
  }),
  overrides: z.array(CodegenOverride).max(OVERRIDES_MAX).default([]),
});
export type CodegenConfig = z.infer<typeof CodegenConfig>;
