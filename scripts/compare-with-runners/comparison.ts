import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";
import type { Counts } from "./sample-projects.ts";

/** One form of a run, as the runner left it. */
export interface FormRun {
  runner: string;
  version: string;
  project: string;
  form: string;
  stdout: string;
  stderr: string;
  files: { path: string; text: string }[];
  /** What the runner counts itself; null when it says nothing that is understood. */
  own: Counts | null;
}

export interface Row {
  source: "run now" | "recorded";
  run: FormRun;
  read: Counts;
  format: string;
  problems: string[];
  same: boolean;
}

/** Reads a run's reports and holds them against the runner's own counts. */
export function rowOf(run: FormRun, source: Row["source"]): Row {
  const { stdout, stderr, files, own } = run;
  const { passed, failed, skipped, format, problems } = parseTestResults({
    stdout,
    stderr,
    files,
    tree: "/workspace",
  });
  const same =
    own !== null &&
    problems.length === 0 &&
    own.passed === passed &&
    own.failed === failed &&
    own.skipped === skipped;
  return { source, run, read: { passed, failed, skipped }, format, problems, same };
}

/** A line for each form, and below those that differ what does. */
export function tableLines(rows: readonly Row[]): string[] {
  const words = (counts: Counts | null) =>
    counts === null ? "nothing" : `${counts.passed}/${counts.failed}/${counts.skipped}`;
  const cells = rows.map(({ source, run, read, format, same }) => [
    same ? "✓" : "✗",
    run.runner,
    run.version.slice(0, 24),
    run.project,
    run.form,
    format,
    words(run.own),
    words(read),
    source,
  ]);
  const heads = ["", "runner", "version", "package", "form", "read as", "its own", "read", "source"];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((cell) => cell[column]?.length ?? 0)),
  );
  const line = (cell: readonly string[]) =>
    cell
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    "Counts are passed/failed/skipped.",
    line(heads),
    ...cells.flatMap((cell, row) => [
      line(cell),
      ...(rows[row]?.problems ?? []).map((problem) => `    ${problem}`),
    ]),
  ];
}
