import {
  parseTestResults,
  type TestOutput,
  type TestResults,
} from "#lib/code/test-results/parse-test-results.ts";
import { newReportFiles } from "#lib/code/test-results/report-files.ts";

/**
 * What the tests of a tree said: in their output, and in report files that are not as in `before`.
 *
 * @param tree where the tree is for this process; `output.tree` is where the tests saw it
 */
export async function readTestResults(
  output: Omit<TestOutput, "files">,
  tree: string,
  before: ReadonlyMap<string, string>,
): Promise<TestResults> {
  return parseTestResults({ ...output, files: await newReportFiles(tree, before) });
}
