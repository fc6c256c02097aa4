import { z } from "zod";
import { SourceRef } from "#schemas/messages/source.ts";
import { BlobRef, Round } from "#schemas/primitives.ts";

/** A name in `agents` of configs/codegen.json. */
export const AgentName = z
  .string()
  .regex(
    /^[a-z][a-z0-9._-]{0,63}$/,
    "up to 64 small letters, digits and characters of ._-, the first a letter",
  );

/** A change in words for a coding agent, as messages carry it. */
export const AgentChangeRef = z.strictObject({
  kind: z.literal("command"),
  agent: AgentName.describe("a name in `agents` of configs/codegen.json"),
  text: BlobRef.describe("words for the agent"),
});

/** On models, by all rounds of a task. */
export const Spent = z
  .strictObject({ tokens: z.int().min(0), usd_micros: z.int().min(0).describe("millionths of a USD") })
  .describe("on models by all rounds of the task up to this one");

export const CoderInput = z.strictObject({
  source: SourceRef,
  change: AgentChangeRef,
  round: Round,
  profile: z.string().min(1).describe("of the task; an agent may have one of its own"),
  test: z.string().describe("command that the change will be tested with, for the agent to know").optional(),
  previous_diff: BlobRef.describe("of the round before, which failed").optional(),
  report: BlobRef.describe("build-test/report.json of the round before").optional(),
  memory: BlobRef.describe("what the rounds before tried").optional(),
  refusal: z
    .strictObject({ code: z.string(), message: z.string() })
    .describe("why the change of the round before was refused, if it was")
    .optional(),
  refused_diff: BlobRef.describe("what the agent changed in the round before").optional(),
  spent: Spent.optional(),
});
export type CoderInput = z.infer<typeof CoderInput>;

const Stated = z.int().min(0).nullable();

/** What a coding agent says that a run of it used; null: it does not say so. */
export const AgentUse = z.strictObject({
  tokens: Stated.describe("in all; the sum of the two below unless the agent says it"),
  input_tokens: Stated,
  cached_input_tokens: Stated.describe("of the input, from the endpoint's cache"),
  output_tokens: Stated,
  usd: z.number().min(0).nullable(),
});
export type AgentUse = z.infer<typeof AgentUse>;

/** One run of a coding agent. */
export const AgentRun = z.strictObject({
  name: z.string().describe("in configs/codegen.json"),
  duration_ms: z.number().min(0),
  profile: z.string().describe("in configs/sandbox_limits.json"),
  isolation: z.enum(["full", "reduced"]),
  log: z.string().describe("path of the artifact with what it printed, redacted"),
  use: AgentUse.nullable()
    .default(null)
    .describe("of its model, as it states it by `usage` of its entry; null: not stated"),
});
export type AgentRun = z.infer<typeof AgentRun>;

export const CoderOutput = z.strictObject({
  source: SourceRef.describe("the resolved source the diff applies to"),
  diff: BlobRef.describe("unified diff of what the agent left against the source").optional(),
  run: AgentRun,
  memory: BlobRef.describe("what this round and those before meant to do, for the next one"),
  spent: Spent.optional(),
});
export type CoderOutput = z.infer<typeof CoderOutput>;
