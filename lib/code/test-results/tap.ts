import { nestedResults } from "#lib/code/test-results/nested-results.ts";
import { readDiagnostics } from "#lib/code/test-results/tap-diagnostics.ts";
import { testCase } from "#lib/code/test-results/test-case.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const RESULT = /^( *)(not )?ok\b ?(\d+)?(?: -)? ?(.*)$/;
const PLAN = /^1\.\.(\d+)/;
const DIRECTIVE = /(?:^|\s)#\s*(skip|todo)\b.*$/i;
const DEPTH_MAX = 50;
const DIAGNOSTICS_LINES_MAX = 2000;

/**
 * TAP 13 and 14, with nested subtests and YAML diagnostics as node:test writes them. Without
 * subtests a comment names the results after it, as tape writes it.
 * https://testanything.org/tap-version-14-specification.html
 */
export function parseTap(text: string): TestCase[] | null {
  const lines = text.split(/\r?\n/);
  const results = nestedResults();
  const extra: TestCase[] = [];
  let seen = 0;
  let planned: number | null = null;
  // Without its first line TAP is told by a plan and numbered results: other tools print "ok" too.
  let versioned = false;
  let numbered = false;
  const has_subtests = lines.some((line) => /^ *# Subtest:/.test(line));
  let heading = "";
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (/^TAP version 1[34]\b/.test(line)) versioned = true;
    const plan = PLAN.exec(line);
    if (plan) planned = (planned ?? 0) + Number(plan[1]);
    const bail = /^\s*Bail out!\s*(.*)$/.exec(line);
    if (bail) extra.push(testCase({ names: ["Bail out!"], status: "failed", failure: bail[1] || line }));
    if (!has_subtests) heading = /^# (.+)$/.exec(line)?.[1]?.trim() ?? heading;
    const result = RESULT.exec(line);
    if (!result) continue;
    const depth = Math.min(DEPTH_MAX, Math.floor((result[1] ?? "").length / 4));
    const block = diagnostics(lines, index + 1, (result[1] ?? "").length);
    index += block.length;
    if (depth === 0) seen++;
    if (result[3] !== undefined) numbered = true;
    const described = describeResult(result, block);
    const name = heading === "" ? described.name : `${heading} > ${described.name}`;
    results.add({ depth, ...described, name });
  }
  if (!versioned && !(numbered && planned !== null)) return null;
  if (planned !== null && planned > seen && extra.length === 0) {
    const failure = `${planned} tests were planned and ${seen} reported`;
    extra.push(testCase({ names: ["TAP plan"], status: "failed", failure }));
  }
  return [...results.cases(), ...extra];
}

function describeResult([, , not, number, rest = ""]: RegExpExecArray, block: readonly string[]) {
  const directive = DIRECTIVE.exec(rest.replaceAll("\\#", "\0"));
  const name = rest.replaceAll("\\#", "\0").replace(DIRECTIVE, "").replaceAll("\0", "#").trim();
  const failed = not !== undefined && !directive;
  const { failure, ...diagnostics } = readDiagnostics(block);
  const status: TestCase["status"] = directive ? "skipped" : failed ? "failed" : "passed";
  return {
    name: name || `test ${number ?? ""}`.trim(),
    status,
    ...diagnostics,
    failure: failed ? failure : null,
  };
}

/** The YAML block that belongs to a result: from `---` to `...`, both indented beyond it. */
function diagnostics(lines: readonly string[], start: number, indent: number): string[] {
  const opening = /^( *)---\s*$/.exec(lines[start] ?? "");
  const depth = opening?.[1]?.length ?? -1;
  if (depth <= indent) return [];
  const margin = " ".repeat(depth);
  const last = Math.min(lines.length, start + DIAGNOSTICS_LINES_MAX);
  for (let end = start + 1; end < last; end++) {
    const line = lines[end] ?? "";
    if (line.trimEnd() === `${margin}...`) return lines.slice(start, end + 1);
    if (line.trim() !== "" && !line.startsWith(margin)) break;
  }
  return [];
}
