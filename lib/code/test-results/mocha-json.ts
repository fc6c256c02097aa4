import { z } from "zod";
import { embeddedJson } from "#lib/code/test-results/embedded-json.ts";
import { testCase } from "#lib/code/test-results/test-case.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const MochaTest = z.object({
  title: z.string(),
  fullTitle: z.string(),
  file: z.string().nullish(),
  duration: z.number().nullish(),
  err: z.object({ message: z.string().nullish(), stack: z.string().nullish() }).nullish(),
});

const MochaShape = z.object({
  stats: z.object({ tests: z.number(), passes: z.number(), failures: z.number() }),
  passes: z.array(MochaTest),
  failures: z.array(MochaTest),
  pending: z.array(MochaTest),
});

/**
 * Mocha's `json` reporter (https://mochajs.org/#json), also in the midst of other output.
 * `tests` in it lacks failed hooks, so the three outcomes are read.
 */
export function parseMochaJson(text: string): TestCase[] | null {
  for (const value of embeddedJson(text, "stats")) {
    const report = MochaShape.safeParse(value).data;
    if (!report) continue;
    return [
      ...report.passes.map((test) => mochaCase(test, "passed")),
      ...report.failures.map((test) => mochaCase(test, "failed")),
      ...report.pending.map((test) => mochaCase(test, "skipped")),
    ];
  }
  return null;
}

/** Mocha joins the suites with spaces, so where one ends is not to be told: they stay one name. */
function mochaCase(test: z.infer<typeof MochaTest>, status: TestCase["status"]): TestCase {
  const suites = test.fullTitle.endsWith(test.title)
    ? test.fullTitle.slice(0, -test.title.length || undefined).trim()
    : "";
  return testCase({
    names: [suites, test.title],
    file: test.file,
    status,
    duration_ms: test.duration,
    failure: test.err?.stack ?? test.err?.message,
  });
}
