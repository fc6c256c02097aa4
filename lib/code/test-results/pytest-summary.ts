import { type TestDocument, testCase } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const WORD =
  "failed|passed|skipped|xfailed|xpassed|errors?|warnings?|deselected|rerun|subtests (?:passed|failed)";
const SUMMARY = new RegExp(
  `^(?:=+ )?((?:\\d+ (?:${WORD})(?:, (?=\\d)| ))+|no tests (?:ran|collected) |no tests collected \\(\\d+ deselected\\) )in (\\d+(?:\\.\\d+)?)s(?: \\([^()]{1,40}\\))?(?: =+)?$`,
);
/** In the short summary above: `FAILED tests/test_a.py::test_one - assert 1 == 2`. */
const NAMED = /^(?:FAILED|ERROR) (\S+\.py(?:::.*?)?)(?: - (.*))?$/;
/** Above the summary of a run that ended early: `!!!!!! _pytest.outcomes.Exit: no database !!!!!!`. */
const STOPPED = /^!{3,} (.+?) !{3,}$/;
/** `collected 3 items`, `collected 5 items / 2 deselected / 3 selected`, and as pytest-xdist says it, `2 workers [3 items]`. */
const COLLECTED = /^(?:collected (\d+) items?\b|\d+ workers? \[(\d+) items?\])/;
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
  let problems: string[] = [];
  let collected = 0;
  for (const line of lines) {
    if (line.length > LINE_CHARACTERS_MAX) continue;
    const named = NAMED.exec(line);
    if (named && tests.length < NAMED_MAX) {
      const [, name = "", failure] = named;
      const file = name.split("::")[0] ?? null;
      tests.push(testCase({ names: name.split("::"), file, status: "failed", failure: failure ?? null }));
    }
    const stopped = STOPPED.exec(line)?.[1];
    if (stopped !== undefined) problems = [`pytest ended before all tests had run: ${stopped.slice(0, 200)}`];
    const items = COLLECTED.exec(line);
    if (items) collected = Number(items[1] ?? items[2]);
    const summary = SUMMARY.exec(line);
    if (!summary) continue;
    const words = summary[1] ?? "";
    const counts = countsOf(words);
    const ended = endedOf(words);
    if (counts.failed > 0) problems = [];
    else if (problems.length === 0 && ended < collected)
      problems = [`pytest collected ${collected} tests, and ${ended} ended`];
    documents.push({ format: "pytest", tests: tests.slice(0, counts.failed), counts, problems });
    [tests, problems, collected] = [[], [], 0];
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

/** All tests that the summary accounts for. An error in a teardown is counted beside its test, so it may be more than there are. */
function endedOf(words: string): number {
  let ended = 0;
  for (const [, number, word = ""] of words.matchAll(/(\d+) ((?:subtests )?[a-z]+)/g)) {
    if (!/^(?:warnings?|rerun|subtests )/.test(word)) ended += Number(number);
  }
  return ended;
}
