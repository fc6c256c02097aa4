import { nestedResults, type ResultLine } from "#lib/code/test-results/nested-results.ts";
import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const RESULT = /^( *)([✔✖﹣⚠]) (.*?)(?: \((\d+(?:\.\d+)?)ms\)(?: # (.*))?)?$/u;
const OPENING = /^( *)▶ (.*?)(?: \((\d+(?:\.\d+)?)ms\))?$/u;
const SUMMARY = /^ℹ tests \d+$/m;
const DEPTH_MAX = 50;

/** What `node --test` prints by itself: its `spec` reporter (https://nodejs.org/api/test.html). */
export function parseNodeTest(text: string): TestCase[] | null {
  const plain = stripAnsi(text);
  if (!SUMMARY.test(plain)) return null;
  const lines = plain.split(/\r?\n/);
  const results = nestedResults();
  const details = new Map<string, { file: string; body: string }[]>();
  const found: ResultLine[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
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
  for (const result of found) {
    const detail = result.status === "failed" ? details.get(result.name)?.shift() : undefined;
    results.add({ ...result, file: detail?.file ?? null, failure: detail?.body ?? null });
  }
  return results.cases();
}

function resultLine(line: string): ResultLine | null {
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
