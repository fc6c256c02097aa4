import { jestCases, jestShapes } from "#lib/code/test-results/jest-json.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

/** Vitest's `json` reporter (https://vitest.dev/guide/reporters), also in the midst of other output. */
export function parseVitestJson(text: string): TestCase[] | null {
  const report = jestShapes(text).find((each) => each.numRuntimeErrorTestSuites === undefined);
  return report ? jestCases(report) : null;
}
