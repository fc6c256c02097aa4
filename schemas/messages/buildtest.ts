import { z } from "zod";
import { ReportGlobs } from "#schemas/messages/report-globs.ts";
import { SourceRef } from "#schemas/messages/source.ts";
import { BlobRef, Sha256, Verdict } from "#schemas/primitives.ts";

export const BuildtestInput = z.strictObject({
  source: SourceRef,
  diff: BlobRef.describe("applied to the source first").optional(),
  install: z.string().min(1).describe("runs first, with the profile's `install_network`").optional(),
  build: z.string().min(1).optional(),
  test: z.string().min(1).optional(),
  profile: z.string().min(1),
  reports: ReportGlobs.optional(),
  require_tests: z.boolean().describe("fail when no test is known to have run").optional(),
});
export type BuildtestInput = z.infer<typeof BuildtestInput>;

/** More failed tests than these are counted and not named. */
export const FAILED_TESTS_NAMED = 20;

export const BuildtestOutput = z.strictObject({
  source: SourceRef.describe("the resolved source"),
  verdict: Verdict,
  report: BlobRef.describe("build-test/report.json"),
  tests_passed: z.int().min(0),
  tests_failed: z.int().min(0),
  tests_skipped: z.int().min(0),
  failed_tests: z
    .array(z.string().max(200))
    .min(1)
    .max(FAILED_TESTS_NAMED)
    .describe("names of the tests that failed, as far as they are known and there is room")
    .optional(),
  failure: Sha256.describe(
    "fingerprint of the failure: equal for runs in which the same tests fail, or, where none is known, that end for the same reason",
  ).optional(),
});
export type BuildtestOutput = z.infer<typeof BuildtestOutput>;
