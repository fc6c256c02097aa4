import { z } from "zod";
import { FlagClass } from "#schemas/flags.ts";
import { AgentRun } from "#schemas/messages/coder.ts";
import { Sha256 } from "#schemas/primitives.ts";

const FileChange = z.strictObject({
  path: z.string(),
  change: z.enum(["added", "modified", "deleted", "renamed"]),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
  from: z.string().optional().describe("path that a renamed file had before"),
  flag: FlagClass.optional().describe("why a reviewer must look at it"),
});

const Tokens = z.int().min(0);

/** What a model was asked and what that took: of this round, and of the task up to it. */
export const ModelUse = z.strictObject({
  name: z.string().describe("in configs/codegen.json; `MODEL_NAME` for the one of the environment"),
  model: z.string().describe("at the endpoint"),
  provider: z.string().describe("wire protocol"),
  prompt_version: z.int().min(1),
  prompt_sha256: Sha256.describe("of what the model is told before every question"),
  rounds: z.int().min(1).describe("of the task up to this one"),
  turns: z.int().min(1).describe("questions of this round"),
  input_tokens: Tokens.describe("of this round, those from the cache among them"),
  cached_input_tokens: Tokens,
  output_tokens: Tokens,
  usd: z.number().min(0).describe("of this round, by the prices in configs/codegen.json"),
  answer_ms: z.number().min(0).describe("waited for answers in this round"),
  task_tokens: Tokens.describe("of all rounds of the task up to this one"),
  task_usd: z.number().min(0),
  task_tokens_max: Tokens.describe("budget of the task"),
  task_usd_max: z.number().min(0).nullable(),
});
export type ModelUse = z.infer<typeof ModelUse>;

/** `codegen/metrics.json` */
export const CodegenMetrics = z.strictObject({
  provider: z.enum(["patch", "codemod", "model", "command"]),
  round: z.int().min(0),
  duration_ms: z.number().min(0),
  files_changed: z.int().min(0),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
  files: z.array(FileChange),
  model: ModelUse.optional().describe("only when a model made the change"),
  agent: AgentRun.extend({
    rounds: z.int().min(1).describe("of the task up to this one"),
    task_tokens: Tokens.nullable().describe("of all rounds up to this one, as far as stated; null: none is"),
    task_usd: z.number().min(0).nullable(),
  })
    .optional()
    .describe("only when a coding agent made the change"),
  rules_matched: z.record(z.string(), z.int().min(0)).optional().describe("codemod: matches per rule id"),
});
export type CodegenMetrics = z.infer<typeof CodegenMetrics>;
