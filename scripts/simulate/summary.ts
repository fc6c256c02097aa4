import type { SeedsReport } from "./run-seeds.ts";

const FAILURES_SHOWN = 10;

/** A run in words: its speed, what was exercised, and how to run each failing seed again. */
export function summary(report: SeedsReport): string {
  const { seeds, events, virtual_ms, duration_ms, counts, failures, hash } = report;
  const seconds = duration_ms / 1000;
  const lines = [
    `${seeds} seeds in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(0)} seeds/s, ` +
      `${events} events, ${(virtual_ms / 3_600_000).toFixed(0)} virtual hours, trace ${hash}`,
    "exercised:",
    ...Object.entries(counts)
      .sort(([a], [b]) => a.localeCompare(b, "en"))
      .map(([name, amount]) => `  ${String(amount).padStart(9)} ${name}`),
  ];
  if (failures.length === 0) return [...lines, "no invariant was broken"].join("\n");
  return [
    ...lines,
    `${failures.length} seeds broke an invariant; the first ${Math.min(FAILURES_SHOWN, failures.length)}:`,
    ...failures
      .slice(0, FAILURES_SHOWN)
      .flatMap(({ seed, invariant, detail }) => [
        `  ${invariant}: ${detail}`,
        `    npm run simulate -- --seed ${seed} --trace`,
      ]),
  ].join("\n");
}
