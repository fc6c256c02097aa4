import { z } from "zod";
import { AgentName } from "#schemas/messages/coder.ts";
import { ReportGlobs } from "#schemas/messages/report-globs.ts";
import { GitRef, GitUrl } from "#schemas/messages/source.ts";
import { NO_CONTROLS, ONE_LINE, Sha256 } from "#schemas/primitives.ts";

/** What the largest body holds. */
const TEXT_CHARACTERS_MAX = 6_000_000;
const Text = z.string().min(1).max(TEXT_CHARACTERS_MAX);
const Command = z
  .string()
  .min(1)
  .max(4096)
  .regex(NO_CONTROLS, "must have no control character but tab and line feed")
  .describe("a shell command, run in the tree's root");

const SubmittedSource = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("inline"),
    files: z
      .record(z.string().min(1).max(512), z.string().max(TEXT_CHARACTERS_MAX))
      .refine((files) => Object.keys(files).length > 0, "must have at least one file")
      .meta({ minProperties: 1 })
      .describe("path → text, UTF-8"),
  }),
  z.strictObject({
    kind: z.literal("upload"),
    upload_id: Sha256.describe("what POST /api/uploads answered"),
  }),
  z.strictObject({ kind: z.literal("git"), url: GitUrl, ref: GitRef.optional() }),
]);

const SubmittedDiff = z
  .union(
    [
      Text,
      z.strictObject({
        base64: z
          .base64()
          .min(4)
          .max(TEXT_CHARACTERS_MAX)
          .describe("the diff's bytes in base 64 with padding, for a diff that is not UTF-8"),
      }),
    ],
    { error: 'give the diff as text, or its bytes as {"base64": "…"}' },
  )
  .describe("unified diff: text, which becomes UTF-8, or bytes");
export type SubmittedDiff = z.infer<typeof SubmittedDiff>;

const SubmittedChange = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("patch"),
    diff: SubmittedDiff,
    strip: z
      .int()
      .min(0)
      .max(99)
      .describe(
        "leading parts taken off each name in the diffs, as `patch -p`; found out from the names when absent",
      )
      .optional(),
    directory: z
      .string()
      .min(1)
      .max(1024)
      .describe("directory of the source that the names in the diffs are relative to")
      .optional(),
    fallback_diffs: z
      .array(SubmittedDiff)
      .max(9)
      .describe(
        "tried one a repair round, each against the unchanged source, when the one before fails its tests",
      )
      .optional(),
  }),
  z.strictObject({
    kind: z.literal("codemod"),
    rules: Text.describe("ast-grep rules as YAML, several parted by ---"),
  }),
  z.strictObject({
    kind: z.literal("prompt"),
    text: z
      .string()
      .min(1)
      .max(32_768)
      .regex(NO_CONTROLS, "must have no control character but tab and line feed")
      .describe("what to change, in words for a model, or for the agent that is named"),
    agent: AgentName.describe("a coding agent in configs/codegen.json that makes the change").optional(),
  }),
]);

/** Body of `POST /api/tasks`. Which fields a workflow needs is said by `configs/workflows.json`. */
export const Submission = z.strictObject({
  workflow: z
    .string()
    .min(1)
    .max(64)
    .regex(ONE_LINE, "must have no control character")
    .describe("a name in configs/workflows.json"),
  source: SubmittedSource,
  change: SubmittedChange.optional(),
  install: Command.describe("fetches dependencies before the build, for example npm ci").optional(),
  build: Command.optional(),
  test: Command.optional(),
  reports: ReportGlobs.optional(),
  require_tests: z
    .boolean()
    .describe("the verdict is `failed`, with NO_TEST_RAN, when no test is known to have run")
    .optional(),
  command: Command.describe("for workflow `run`").optional(),
  repository: z
    .string()
    .regex(
      /^[A-Za-z0-9@][A-Za-z0-9@._/-]{0,127}$/,
      "up to 128 letters, digits and characters of @._/-, the first a letter, a digit or @",
    )
    .describe("name the code is indexed under")
    .default("default"),
  profile: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, "must be up to 32 small letters, digits, _ and -, the first a letter")
    .describe("a name in configs/sandbox_limits.json")
    .default("standard"),
  repair_rounds: z.int().min(0).max(9).describe("repair rounds allowed; the workflow caps it").optional(),
  deadline_seconds: z.int().min(1).max(86_400).describe("the task fails when it takes longer").default(3600),
});
export type Submission = z.infer<typeof Submission>;
export type SubmittedSource = z.infer<typeof SubmittedSource>;
export type SubmittedChange = z.infer<typeof SubmittedChange>;

/** Body of `POST /api/uploads`: what will be uploaded, so that the URL can be bound to it. */
export const UploadRequest = z.strictObject({
  sha256: Sha256.describe("SHA-256 of the tar.gz that will be sent"),
  bytes: z.int().min(1).describe("its size in bytes"),
});
export type UploadRequest = z.infer<typeof UploadRequest>;

/** Body of `POST /api/query`. */
export const QueryRequest = z.strictObject({
  query: z
    .string()
    .min(1)
    .max(2000)
    .regex(NO_CONTROLS, "must have no control character but tab and line feed")
    .describe("words, a symbol's name, or a question"),
  repository: z.string().min(1).max(128).regex(ONE_LINE, "must have no control character").default("default"),
  limit: z.int().min(1).max(50).default(10),
});
export type QueryRequest = z.infer<typeof QueryRequest>;
