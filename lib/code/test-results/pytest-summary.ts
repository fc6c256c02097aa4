import { type TestDocument, testCase } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const WORD =
  "failed|passed|skipped|xfailed|xpassed|errors?|warnings?|deselected|rerun|subtests (?:passed|failed)";
const SUMMARY = new RegExp(
  `^(?:=+ )?((?:\\d+ (?:${WORD})(?:, (?=\\d)| ))+|no tests (?:ran|collected) |no tests collected \\(\\d+ deselected\\) )in (\\d+(?:\\.\\d+)?)s(?: \\([^()]{1,40}\\))?(?: =+)?$`,
);
/** In the short summary above: `FAILED tests/test_a.py::test_one - assert 1 == 2`. */
const NAMED = /^(?:FAILED|ERROR) (\S+\.py(?:::.*?)?)(?: - (.*))?$/s;
const LINE_CHARACTERS_MAX = 2000;
const NAMED_MAX = 20_000;

/**
 * pytest's last line, `=== 3 failed, 2 passed in 0.12s ===` or without the bars with `-q`, once for each
 * run. It counts and names nothing; what failed is named by the lines above it.
 * https://docs.pytest.org/en/stable/how-to/output.html
 */
export function pytestDocuments(lines: readonly string[]): TestDocument[] {
  const documents: TestDocument[] = [];
  let tests: TestCase[] = [];
  for (const line of lines) {
    if (line.length > LINE_CHARACTERS_MAX) continue;
    const named = NAMED.exec(line);
    if (named && tests.length < NAMED_MAX) {
      const [, name = "", failure] = named;
      const file = name.split("::")[0] ?? null;
      tests.push(testCase({ names: name.split("::"), file, status: "failed", failure: failure ?? null }));
    }
    const summary = SUMMARY.exec(line);
    if (!summary) continue;
    const counts = countsOf(summary[1] ?? "");
    documents.push({ format: "pytest", tests: tests.slice(0, counts.failed), counts, problems: [] });
    tests = [];
  }
  return documents;
}

function countsOf(words: string) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, number, word = ""] of words.matchAll(/(\d+) ((?:subtests )?[a-z]+)/g)) {
    if (/^(?:failed|errors?|subtests failed)$/.test(word)) counts.failed += Number(number);
    else if (/^(?:passed|xpassed)$/.test(word)) counts.passed += Number(number);
    else if (/^(?:skipped|xfailed)$/.test(word)) counts.skipped += Number(number);
  }
  return counts;
}
