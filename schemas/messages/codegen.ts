import { z } from "zod";
import { AgentChangeRef, AgentRun, Spent } from "#schemas/messages/coder.ts";
import { SourceRef } from "#schemas/messages/source.ts";
import { BlobRef, Round } from "#schemas/primitives.ts";

/** The change as messages carry it: texts by reference. */
export const ChangeRef = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("patch"),
    diffs: z.array(BlobRef).min(1).max(10).describe("unified diffs: the first, then one a repair round"),
    strip: z.int().min(0).max(99).describe("leading parts taken off the names in the diffs").optional(),
    directory: z.string().describe("directory of the tree that the names are relative to").optional(),
  }),
  z.strictObject({ kind: z.literal("codemod"), rules: BlobRef.describe("ast-grep rules, YAML") }),
  z.strictObject({ kind: z.literal("prompt"), text: BlobRef.describe("words for a model") }),
  AgentChangeRef,
]);
export type ChangeRef = z.infer<typeof ChangeRef>;

export const CodegenInput = z.strictObject({
  source: SourceRef,
  change: ChangeRef,
  round: Round,
  previous_diff: BlobRef.describe("of the round before, which failed").optional(),
  report: BlobRef.describe("build-test/report.json of the round before").optional(),
  memory: BlobRef.describe("what the rounds before tried").optional(),
  spent: Spent.optional(),
  agent_diff: BlobRef.describe("what the coding agent changed, for a change of kind `command`").optional(),
  agent_run: AgentRun.optional(),
});
export type CodegenInput = z.infer<typeof CodegenInput>;

export const CodegenOutput = z.strictObject({
  source: SourceRef.describe("the resolved source the diff applies to"),
  diff: BlobRef.describe("unified diff that `git apply` takes"),
  provider: z.enum(["patch", "codemod", "model", "command"]),
  files_changed: z.int().min(0),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
  spent: Spent.optional(),
  memory: BlobRef.describe("what this round and those before meant to do, for the next one").optional(),
});
export type CodegenOutput = z.infer<typeof CodegenOutput>;
