import { leafCases, type NestedResult } from "#lib/code/test-results/nested-results.ts";
import { readDiagnostics } from "#lib/code/test-results/tap-diagnostics.ts";
import { addDocument, type TestDocument, testDocument } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const VERSION = /^TAP version \d+\s*$/i;
const RESULT = /^( *)(not )?ok(?= |$)(?! *\t)(?: +(\d+)(?!\S))?( +-(?= |$))? ?(.*)$/;
const PLAN = /^( *)1\.\.(\d+)(?: *#\s*(.*))?\s*$/;
const BAIL_OUT = /^ *Bail out!\s*(.*)$/i;
const CLOSING = /^( *)\}\s*$/;
/** What tape, ava and node-tap write after the results. */
const TOTALS =
  /^(?:tests|pass|fail|skip|todo|time|duration_ms|suites|cancelled|skipped)\b[ =:]+[\d.]|^ok$|^not ok$/;
const FAILED_TOTAL = /^(?:fail|failed|cancelled)[ =:]+(\d+)$/;
const PRAGMA = /^ *pragma [+-]/;
/** How npm, pnpm and yarn say what they start. */
const HEADER = /^[>$] /;
const INDENT = 4;
const DEPTH_MAX = 50;
const PROBLEMS_MAX = 100;

interface Level {
  results: NestedResult[];
  planned: number | null;
  number_max: number;
  /** The numbers of its results. */
  numbers: Set<number>;
}

const newLevel = (): Level => ({ results: [], planned: null, number_max: 0, numbers: new Set() });

/** One run of a TAP producer, as it is read. */
class TapStream {
  readonly levels: Level[] = [newLevel()];
  readonly problems: string[] = [];
  versioned = false;
  /** The plan stood after the results: nothing more belongs to this stream. */
  complete = false;
  /** Numbered results at the top in a row from 1 on. */
  in_sequence = 0;
  skips_all = false;
  /** `pragma +strict`: a line that is no TAP is a failure. */
  strict = false;
  bailed_out = false;
  heading = "";
  /** A container whose results stand in braces after it, by depth. */
  readonly open: (NestedResult | undefined)[] = [];
  has_subtests = false;
  /** In comments behind the plan at the end. */
  failed_total = 0;
  /** Nothing but what may stand in TAP came before it. */
  begins_output = true;
  readonly follows_tap: boolean;
  /** A line that is no TAP came after the plan. */
  text_after_plan = false;

  constructor(follows_tap: boolean) {
    this.follows_tap = follows_tap;
  }

  top(): Level {
    return this.levels[0] as Level;
  }

  level(depth: number): Level {
    while (this.levels.length <= depth) this.levels.push(newLevel());
    return this.levels[depth] as Level;
  }

  numbered(depth: number): boolean {
    return (this.levels[depth]?.number_max ?? 0) > 0;
  }

  /** Takes what was reported deeper than `depth` and not given to its container yet. */
  takeDeeper(depth: number): NestedResult[] {
    const deeper = this.levels.splice(depth + 1);
    for (const level of deeper) {
      if (level.planned === null && level.results.length > 0)
        this.addProblem("a subtest has no plan: its end is missing");
      this.checkPlan(level, "a subtest");
    }
    // Without a container in between, results of all deeper levels belong to the next one up.
    return deeper.flatMap(({ results }) => results);
  }

  checkPlan(level: Level, where: string): void {
    const { planned, results, number_max } = level;
    if (planned === null || this.bailed_out) return;
    const count = results.length;
    if (count !== planned) {
      this.problems.push(
        `the plan of ${where} says ${planned} ${planned === 1 ? "test" : "tests"}, and ${count} reported`,
      );
    } else if (number_max > planned) {
      this.problems.push(`the plan of ${where} ends at ${planned}, and test ${number_max} reported`);
    }
  }

  /** Says each problem once, however often it is met. */
  addProblem(problem: string): void {
    if (!this.problems.includes(problem) && this.problems.length < PROBLEMS_MAX) this.problems.push(problem);
  }

  /** Takes a line that is no TAP. */
  readText(): void {
    if (this.strict) this.addProblem("the TAP output is strict, and has a line that is no TAP");
    if (this.top().planned === null) this.begins_output = false;
    else this.text_after_plan = true;
  }

  addResult(depth: number, number: number | null, result: NestedResult, opens: boolean): void {
    this.close(depth);
    if (depth === 0 && this.complete) this.addProblem("the plan of the TAP output stands amid its results");
    result.children = this.takeDeeper(depth);
    const level = this.level(depth);
    level.results.push(result);
    if (number !== null) {
      if (level.numbers.has(number)) this.addProblem(`test ${number} of the TAP output reported twice`);
      level.numbers.add(number);
      level.number_max = Math.max(level.number_max, number);
      if (depth === 0 && number === this.in_sequence + 1) this.in_sequence = number;
    }
    this.open[depth] = opens ? result : undefined;
  }

  /** Ends the container in braces at a depth, and those within it. */
  close(depth: number): void {
    for (let inner = this.open.length - 1; inner >= depth; inner--) {
      const container = this.open[inner];
      if (container) container.children.push(...this.takeDeeper(inner));
      this.open.length = inner;
    }
  }

  /**
   * Other programs print "ok" too, and a range of numbers: without its first line TAP is told by a plan, or by its
   * numbers. A plan without results is one where the output begins or ends with it, as TAP does, or had TAP before.
   */
  isTap(): boolean {
    const { planned, results } = this.top();
    if (this.versioned || this.skips_all) return true;
    if (this.has_subtests && this.levels.length > 1) return true;
    if (planned !== null && results.length > 0) return true;
    if (planned !== null) return this.begins_output || this.follows_tap || !this.text_after_plan;
    const failed = results.some(({ status }) => status === "failed");
    return this.in_sequence >= 2 || (this.in_sequence === 1 && failed);
  }

  finish(): TestDocument | null {
    this.close(0);
    if (!this.isTap()) return null;
    const below = this.takeDeeper(0);
    const top = this.top();
    if (!this.bailed_out) {
      if (top.planned === null) this.problems.push("the TAP output has no plan: its end is missing");
      this.checkPlan(top, "the TAP output");
    }
    const document = testDocument("tap", leafCases([...top.results, ...below]), this.problems);
    if (this.failed_total > 0 && document.counts.failed === 0) {
      this.problems.push(`the TAP output counts ${this.failed_total} failed, and names none of them`);
    }
    return document;
  }
}

/**
 * TAP 12 to 14: every stream in a text, one after another, with nested subtests, YAML diagnostics and
 * whatever stands between them. Without subtests a comment names the results after it, as tape writes it.
 * A plan that does not match, or none, is a problem of the stream: then not everything that was to run has.
 * https://testanything.org/tap-version-14-specification.html
 */
export function parseTap(lines: readonly string[]): TestDocument[] {
  const documents: TestDocument[] = [];
  let stream = new TapStream(false);
  let text_before = false;
  const next = () => {
    const document = stream.finish();
    if (document) addDocument(documents, document);
    stream = new TapStream(documents.length > 0);
    stream.begins_output = !text_before;
  };
  const blocks = blockReader(lines);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (line.trim() === "") continue;
    if (VERSION.test(line)) {
      next();
      stream.versioned = true;
    } else if (readPlan(line, stream, next)) {
      // Done: it may have begun the next stream.
      readPlanInto(line, stream);
    } else if (readOther(line, stream)) {
      // A comment, a bail-out or a closing brace.
    } else {
      const result = RESULT.exec(line);
      if (!result || (result[1] ?? "").length % INDENT !== 0) {
        const strict = /^pragma ([+-])strict\s*$/.exec(line)?.[1];
        if (strict !== undefined) stream.strict = strict === "+";
        if (PRAGMA.test(line) || HEADER.test(line)) continue;
        text_before = true;
        stream.readText();
        continue;
      }
      const indent = (result[1] ?? "").length;
      const number = result[3] === undefined ? null : Number(result[3]);
      if (indent === 0 && beginsNextStream(stream, number)) next();
      // Where results have numbers, "ok" without one is what a program printed.
      if (number === null && !result[4] && stream.numbered(indent / INDENT)) continue;
      const block = blocks.after(index, indent);
      index += block.length;
      const depth = Math.min(DEPTH_MAX, indent / INDENT);
      const { opens, ...described } = describeResult(result, block);
      const heading = depth === 0 && !stream.has_subtests ? stream.heading : "";
      const name = heading === "" ? described.name : `${heading} > ${described.name}`;
      stream.addResult(depth, number, { ...described, name, children: [] }, opens);
    }
  }
  next();
  return documents;
}

function beginsNextStream(stream: TapStream, number: number | null): boolean {
  if (stream.complete) return number === 1 || number === null || stream.bailed_out;
  const { planned, results } = stream.top();
  return (
    number === 1 &&
    planned !== null &&
    planned > 0 &&
    results.length >= planned &&
    stream.in_sequence >= planned
  );
}

/** True for a plan; ends the stream first when it has one already. */
function readPlan(line: string, stream: TapStream, next: () => void): boolean {
  const plan = PLAN.exec(line);
  if (!plan || (plan[1] ?? "").length % INDENT !== 0) return false;
  if (plan[1] === "" && stream.top().planned !== null) next();
  return true;
}

function readPlanInto(line: string, stream: TapStream): void {
  const [, indent = "", planned, remark = ""] = PLAN.exec(line) ?? [];
  const level = stream.level(Math.min(DEPTH_MAX, indent.length / INDENT));
  level.planned = Math.min(Number(planned), Number.MAX_SAFE_INTEGER);
  if (indent !== "") return;
  stream.complete = level.results.length > 0;
  stream.skips_all = level.planned === 0 && /^skip/i.test(remark);
}

function readOther(line: string, stream: TapStream): boolean {
  const bail_out = BAIL_OUT.exec(line);
  if (bail_out) {
    if (!stream.bailed_out) stream.problems.push(`the tests bailed out: ${bail_out[1] || "no reason given"}`);
    stream.bailed_out = true;
    stream.versioned = true;
    return true;
  }
  if (/^ *# Subtest\b/.test(line)) {
    stream.has_subtests = true;
    return true;
  }
  const comment = /^# ?(.+)$/.exec(line)?.[1]?.trim();
  if (comment !== undefined) {
    const total = FAILED_TOTAL.exec(comment);
    if (stream.complete) stream.failed_total += Number(total?.[1] ?? 0);
    else if (!TOTALS.test(comment)) stream.heading = comment;
    return true;
  }
  const closing = CLOSING.exec(line);
  if (!closing) return false;
  stream.close(Math.floor((closing[1] ?? "").length / INDENT));
  return true;
}

function describeResult([, , not, number, , rest = ""]: RegExpExecArray, block: readonly string[]) {
  const { name, directive, duration_ms, opens } = readDescription(rest);
  const failed = not !== undefined && !directive;
  const diagnostics = readDiagnostics(block);
  const status: TestCase["status"] = directive ? "skipped" : failed ? "failed" : "passed";
  return {
    name: name || `test ${number ?? ""}`.trim(),
    status,
    duration_ms: diagnostics.duration_ms ?? duration_ms,
    file: diagnostics.file,
    failure: failed ? diagnostics.failure : null,
    opens,
  };
}

const TIME = /^(?:(?:time|duration|duration_ms)[=:] ?|in |took )?(\d+(?:\.\d+)?) ?(ms|s|m|us|µs)?\s*$/i;
const TRAILING_TIME = /(?: \((\d+(?:\.\d+)?) ?(ms|s)\)| in (\d+(?:\.\d+)?) ?(ms))$/;
const REMARKS_MAX = 10;
const UNITS: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000 };

/** A result's words: its name, and the directive and the duration that stand behind it. */
function readDescription(rest: string) {
  let text = rest.trimEnd();
  const opens = text === "{" || text.endsWith(" {");
  if (opens) text = text.slice(0, -1).trimEnd();
  let directive = false;
  let duration_ms: number | null = null;
  for (let remark = 0; remark < REMARKS_MAX; remark++) {
    const hash = lastHash(text);
    if (hash < 0) break;
    const words = text.slice(hash + 1).trim();
    const time = words.length < 100 ? TIME.exec(words) : null;
    if (/^(?:skip|todo\b)/i.test(words)) directive = true;
    else if (time && (time[2] !== undefined || /^(?:time|duration)/i.test(words)))
      duration_ms = inMs(time[1], time[2]);
    else break;
    text = text.slice(0, hash).trimEnd();
  }
  const early = firstDirective(text);
  if (early >= 0) {
    directive = true;
    text = text.slice(0, early).trimEnd();
  }
  const trailing = TRAILING_TIME.exec(text.slice(-60));
  if (trailing) {
    duration_ms ??= inMs(trailing[1] ?? trailing[3], trailing[2] ?? trailing[4]);
    text = text.slice(0, -trailing[0].length);
  }
  return { name: text.replace(/\\([#\\])/g, "$1").trim(), directive, duration_ms, opens };
}

function inMs(number: string | undefined, unit: string | undefined): number {
  return Number(number) * (UNITS[(unit ?? "ms").toLowerCase()] ?? 1);
}

/** The last `#` that begins a remark: after a blank or at the start, and not escaped. */
function lastHash(text: string): number {
  for (let at = text.lastIndexOf("#"); at >= 0; at = at === 0 ? -1 : text.lastIndexOf("#", at - 1)) {
    if (at === 0 || text[at - 1] === " " || text[at - 1] === "\t") return at;
  }
  return -1;
}

/** A directive's reason may hold a `#` itself. */
function firstDirective(text: string): number {
  return text.search(/(?<!\S)#\s{0,8}(?:skip|todo\b)/i);
}

const BLOCK_LINES_MAX = 2000;

/** Finds the YAML block behind a result: from `---` to `...`, both indented beyond it. */
function blockReader(lines: readonly string[]) {
  // By margin: up to where it is known that no block ends.
  const endless = new Map<number, number>();
  return {
    after(index: number, indent: number): string[] {
      const start = index + 1;
      const opening = /^( *)---\s*$/.exec(lines[start] ?? "");
      const depth = opening?.[1]?.length ?? -1;
      if (depth <= indent || start < (endless.get(depth) ?? 0)) return [];
      const margin = " ".repeat(depth);
      const last = Math.min(lines.length, start + BLOCK_LINES_MAX);
      let end = start + 1;
      for (; end < last; end++) {
        const line = lines[end] ?? "";
        if (line.startsWith(`${margin}...`) && line.trimEnd().length === depth + 3) {
          return lines.slice(start, end + 1);
        }
        if (line.trim() !== "" && !line.startsWith(margin)) break;
      }
      endless.set(depth, end);
      return [];
    },
  };
}
