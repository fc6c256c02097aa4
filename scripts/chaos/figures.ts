import type { Killed } from "./kill-rounds.ts";
import type { LogLine } from "./stack-log.ts";
import type { Submissions } from "./submitter.ts";

interface Run {
  kills: Killed[];
  submissions: Submissions;
  lines: LogLine[];
  /** Claims of steps beyond the first. */
  taken_over: number;
  artifacts: number;
  killing_ms: number;
  total_ms: number;
}

/** The closing table: what was done to the stack, and what it did about it. */
export function figures(run: Run): [name: string, value: string][] {
  const { kills, submissions, lines } = run;
  const logged = (code: string, also = (_: LogLine) => true) =>
    String(lines.filter((line) => line.code === code && also(line)).length);
  const cut = tally(kills.flatMap(({ during }) => during));
  const idle = kills.filter(({ during }) => during.length === 0).length;
  return [
    ["kill -9 of the stack", String(kills.length)],
    ["steps running when killed", cut || "none"],
    ["kills between steps", String(idle)],
    [
      "tasks accepted",
      `${submissions.accepted.length}: ${tally(submissions.accepted.map(({ kind }) => kind))}`,
    ],
    ["tenants", String(new Set(submissions.accepted.map(({ tenant }) => tenant)).size)],
    ["requests that met a dead stack", String(submissions.outages)],
    ["repeats answered with the same task", String(submissions.repeats)],
    ["steps taken over after a lease ended", String(run.taken_over)],
    ["steps sent again", logged("STEP_DISPATCHED", ({ dispatch_count = 1 }) => dispatch_count > 1)],
    [
      "duplicates blocked",
      `${logged("DUPLICATE_BLOCKED")} after the end, ${logged("MESSAGE_RETURNS", ({ error_code }) => error_code === "STEP_IN_PROGRESS")} while at work`,
    ],
    [
      "outcomes refused for a lost lease",
      logged("MESSAGE_RETURNS", ({ error_code }) => error_code === "LEASE_LOST"),
    ],
    ["artifacts read and compared", String(run.artifacts)],
    ["time", `${seconds(run.killing_ms)} of kills, ${seconds(run.total_ms)} in all`],
  ];
}

/** `3 run, 1 index`, most first. */
function tally(names: string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
