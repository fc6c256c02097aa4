import {
  parseTestResults,
  type TestOutput,
  type TestResults,
} from "#lib/code/test-results/parse-test-results.ts";
import { newReportFiles, type ReportPlace } from "#lib/code/test-results/report-files.ts";

/**
 * What the tests of a tree said: in their output, and in report files that are not as they were before.
 *
 * @param place where the tree is for this process; `output.tree` is where the tests saw it
 */
export async function readTestResults(
  output: Omit<TestOutput, "files">,
  { tree, before, globs }: ReportPlace,
): Promise<TestResults> {
  const { files, problems } = await newReportFiles(tree, before, globs);
  const results = parseTestResults({ ...output, files });
  return { ...results, problems: [...results.problems, ...problems] };
}
