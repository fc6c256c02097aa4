import { leafCases, type NestedResult } from "#lib/code/test-results/nested-results.ts";
import { type TestDocument, testDocument } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const RESULT = /^( *)([✔✖﹣⚠]) (.*?)(?: \((\d+(?:\.\d+)?)ms\)(?: # (.*))?)?$/u;
const OPENING = /^( *)▶ (.*?)(?: \((\d+(?:\.\d+)?)ms\))?$/u;
const SUMMARY = /^ℹ tests (\d+)$/;
const NOT_PASSED = /^ℹ (?:fail|cancelled) (\d+)$/;
const DEPTH_MAX = 50;

interface SpecLine extends NestedResult {
  depth: number;
}

/**
 * What `node --test` prints by itself: its `spec` reporter (https://nodejs.org/api/test.html). All runs in
 * a text make one document. A test with subtests is their container, so it counts only when it failed
 * by itself; Node.js counts it in any case.
 */
export function parseNodeTest(lines: readonly string[]): TestDocument[] {
  if (!lines.some((line) => SUMMARY.test(line))) return [];
  const details = new Map<string, { file: string; body: string }[]>();
  const found: SpecLine[] = [];
  let not_passed = 0;
  let counted = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    counted += Number(SUMMARY.exec(line)?.[1] ?? 0);
    not_passed += Number(NOT_PASSED.exec(line)?.[1] ?? 0);
    const location = /^test at (.+?)(?::\d+:\d+)?$/.exec(line);
    const heading = location ? RESULT.exec(lines[index + 1] ?? "") : null;
    if (location && heading) {
      const body = indentedBlock(lines, index + 2, 0);
      const name = heading[3] ?? "";
      const same_name = details.get(name) ?? [];
      same_name.push({ file: location[1] ?? "", body: body.join("\n") });
      details.set(name, same_name);
      index += body.length + 1;
      continue;
    }
    const result = resultLine(line);
    if (!result) continue;
    // Node 20 prints the failure right below the test, and says so again at the end.
    if (result.status === "failed") index += indentedBlock(lines, index + 1, result.depth * 2).length;
    found.push(result);
  }
  const tests = leafCases(nested(found, details));
  const failed = tests.some((test) => test.status === "failed");
  const problems: string[] = [];
  if (not_passed > 0 && !failed)
    problems.push(`node:test counts ${not_passed} failed, and names none of them`);
  // A container that is a suite is named and not counted, so there may be more names than tests.
  if (counted > found.length) problems.push(`node:test counts ${counted} tests, and names ${found.length}`);
  return [testDocument("node-test", tests, problems)];
}

/** A container is printed after its tests, one level less deep. */
function nested(
  found: readonly SpecLine[],
  details: Map<string, { file: string; body: string }[]>,
): NestedResult[] {
  const levels: NestedResult[][] = [];
  for (const line of found) {
    const detail = line.status === "failed" ? details.get(line.name)?.shift() : undefined;
    line.file = detail?.file ?? null;
    line.failure = detail?.body ?? null;
    line.children = levels.splice(line.depth + 1).flat();
    while (levels.length <= line.depth) levels.push([]);
    levels[line.depth]?.push(line);
  }
  return levels.flat();
}

function resultLine(line: string): SpecLine | null {
  const match = RESULT.exec(line) ?? closingLine(line);
  if (!match || line === "✖ failing tests:") return null;
  const [, indent = "", symbol, name = "", duration, remark] = match;
  return {
    depth: Math.min(DEPTH_MAX, Math.floor(indent.length / 2)),
    name,
    status: statusOf(symbol ?? "", remark),
    duration_ms: duration === undefined ? null : Number(duration),
    file: null,
    failure: null,
    children: [],
  };
}

/** Older versions close a suite with its opening sign and a duration. */
function closingLine(line: string): (string | undefined)[] | null {
  const match = OPENING.exec(line);
  return match?.[3] === undefined ? null : [line, match[1], "✔", match[2], match[3]];
}

function statusOf(symbol: string, remark: string | undefined): TestCase["status"] {
  if (symbol === "﹣" || symbol === "⚠" || /^(?:skip|todo)\b/i.test(remark ?? "")) return "skipped";
  return symbol === "✔" ? "passed" : "failed";
}

/** The lines from `start` on that are indented beyond `indent` and are no results. */
function indentedBlock(lines: readonly string[], start: number, indent: number): string[] {
  let end = start;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? "";
    const inside = line === "" ? end > start : line.startsWith(" ".repeat(indent + 2));
    if (!inside || RESULT.test(line) || OPENING.test(line)) break;
  }
  return lines.slice(start, end);
}
