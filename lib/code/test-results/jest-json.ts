import { z } from "zod";
import { embeddedJson } from "#lib/code/test-results/embedded-json.ts";
import { testCase } from "#lib/code/test-results/test-case.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

/** The shape that Jest's `--json` and Vitest's `json` reporter share, as far as it is read. */
export const JestShape = z.object({
  numTotalTests: z.number(),
  /** Jest only: this is how the two are told apart. */
  numRuntimeErrorTestSuites: z.number().optional(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string().nullish(),
      message: z.string().nullish(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()).nullish(),
          title: z.string(),
          status: z.string(),
          duration: z.number().nullish(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});
export type JestShape = z.infer<typeof JestShape>;

/** Jest's `--json` (https://jestjs.io/docs/cli#--json), also in the midst of other output. */
export function parseJestJson(text: string): TestCase[] | null {
  const report = jestShapes(text).find((each) => each.numRuntimeErrorTestSuites !== undefined);
  return report ? jestCases(report) : null;
}

export function jestShapes(text: string): JestShape[] {
  return embeddedJson(text, "numTotalTests").flatMap((value) => JestShape.safeParse(value).data ?? []);
}

/** A file that could not even be loaded has no tests, and counts as one that failed. */
export function jestCases(report: JestShape): TestCase[] {
  return report.testResults.flatMap(({ name: file, status, message, assertionResults }) => {
    const cases = assertionResults.map((test) =>
      testCase({
        names: [...(test.ancestorTitles ?? []), test.title],
        file,
        status: test.status === "passed" || test.status === "failed" ? test.status : "skipped",
        duration_ms: test.duration,
        failure: test.failureMessages?.join("\n"),
      }),
    );
    const broken = status === "failed" && !cases.some((test) => test.status === "failed");
    return broken ? [...cases, testCase({ names: [file], file, status: "failed", failure: message })] : cases;
  });
}
