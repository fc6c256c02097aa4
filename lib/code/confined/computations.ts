import { z } from "zod";
import type { AppliedCodemod, applyCodemod } from "#lib/code/codemod/apply-codemod.ts";
import type { checkRules } from "#lib/code/codemod/codemod-rules.ts";
import type { readTestResults } from "#lib/code/confined/read-test-results.ts";
import type { applyDiff } from "#lib/code/diff/apply-diff.ts";
import type { createDiff } from "#lib/code/diff/create-diff.ts";
import type { parseDiff } from "#lib/code/diff/parse-diff.ts";
import type { applyEdits } from "#lib/code/edits/apply-edits.ts";
import type { readEdits } from "#lib/code/edits/read-edits.ts";
import type { showFile } from "#lib/code/edits/show-file.ts";
import type { readTreeTo } from "#lib/code/graph/tree-file.ts";
import type { unpackArchive } from "#lib/code/source/unpack-archive.ts";
import type { reportFileVersions } from "#lib/code/test-results/report-files.ts";
import type { leaveOutFiles } from "#lib/code/tree/leave-out-files.ts";
import type { Computation } from "#lib/platform/confined/computation.ts";
import { TestCase, TestReportSource } from "#schemas/artifacts/build-test-report.ts";
import { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";
import { AnsweredEdit, EditOutcome, FileView } from "#schemas/edits.ts";

/** The functions that run in a child process, as they are declared; the child has their code. */
export interface CodeFunctions {
  unpackArchive: typeof unpackArchive;
  parseDiff(...input: Parameters<typeof parseDiff>): Promise<void>;
  applyDiff: typeof applyDiff;
  createDiff: typeof createDiff;
  leaveOutFiles: typeof leaveOutFiles;
  showFile: typeof showFile;
  readEdits(...input: Parameters<typeof readEdits>): Promise<ReturnType<typeof readEdits>>;
  applyEdits: typeof applyEdits;
  checkRules(...input: Parameters<typeof checkRules>): Promise<void>;
  applyCodemod: typeof applyCodemod;
  readTreeTo: typeof readTreeTo;
  reportFileVersions: typeof reportFileVersions;
  readTestResults: typeof readTestResults;
}

type Declared = {
  readonly [Name in keyof CodeFunctions]: Computation<
    Parameters<CodeFunctions[Name]>,
    Awaited<ReturnType<CodeFunctions[Name]>>
  >;
};

const FileChanges = CodegenMetrics.shape.files;
const Bytes = z.custom<Buffer>((value) => Buffer.isBuffer(value));
const Nothing = z.undefined() as unknown as z.ZodType<void>;
const Count = z.int().min(0);

/** Each function's name in messages to people, and what its result must look like. */
export const computations: Declared = {
  unpackArchive: { name: "unpack archive", result: Nothing },
  parseDiff: { name: "check diff", result: Nothing },
  applyDiff: { name: "apply diff", result: FileChanges },
  createDiff: { name: "create diff", result: z.object({ bytes: Bytes, changes: FileChanges }) },
  leaveOutFiles: { name: "leave out files", result: Nothing },
  showFile: { name: "show file", result: FileView },
  readEdits: { name: "read edits", result: z.array(AnsweredEdit) },
  applyEdits: { name: "apply edits", result: EditOutcome },
  checkRules: { name: "check codemod", result: Nothing },
  applyCodemod: {
    name: "apply codemod",
    result: z.object({
      notes: z.array(z.string()),
      rules_matched: z.record(z.string(), Count),
    }) satisfies z.ZodType<AppliedCodemod>,
  },
  readTreeTo: { name: "read symbols and chunks", result: Nothing },
  reportFileVersions: { name: "find test reports", result: z.map(z.string(), z.string()) },
  readTestResults: {
    name: "read test results",
    result: z.looseObject({
      tests: z.array(TestCase),
      passed: Count,
      failed: Count,
      skipped: Count,
      problems: z.array(z.string()),
      reports: z.array(TestReportSource),
    }) as never,
  },
};
