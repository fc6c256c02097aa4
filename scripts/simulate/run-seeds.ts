import { Worker } from "node:worker_threads";

interface Failure {
  seed: number;
  invariant: string;
  detail: string;
}

/** What a range of seeds did, together. */
export interface SeedsReport {
  seeds: number;
  events: number;
  virtual_ms: number;
  duration_ms: number;
  counts: Record<string, number>;
  failures: Failure[];
  /** The trace hashes of all seeds, mixed in order: the same range gives the same one. */
  hash: string;
}

export interface Range {
  start: number;
  seeds: number;
}

/** What one worker answers for one range. */
export type RangeReport = Omit<SeedsReport, "duration_ms">;

const RANGE_SEEDS = 50;

/** Runs seeds `start` up to `start + seeds`, on `workers` threads; each takes the next range when it is done. */
export async function runSeeds(
  start: number,
  seeds: number,
  workers: number,
  onRange: (report: RangeReport) => void = () => {},
): Promise<SeedsReport> {
  const started = performance.now();
  const ranges: Range[] = [];
  for (let first = start; first < start + seeds; first += RANGE_SEEDS) {
    ranges.push({ start: first, seeds: Math.min(RANGE_SEEDS, start + seeds - first) });
  }
  const reports = new Map<number, RangeReport>();
  await Promise.all(
    Array.from({ length: Math.min(workers, ranges.length) }, () => work(ranges, reports, onRange)),
  );
  return { ...merge(reports), duration_ms: performance.now() - started };
}

function work(
  ranges: Range[],
  reports: Map<number, RangeReport>,
  onRange: (report: RangeReport) => void,
): Promise<void> {
  const worker = new Worker(new URL("./seeds-worker.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    const next = () => {
      const range = ranges.shift();
      if (!range) {
        worker.terminate().then(() => resolve(), reject);
        return;
      }
      worker.once("message", (report: RangeReport) => {
        reports.set(range.start, report);
        onRange(report);
        next();
      });
      worker.postMessage(range);
    };
    worker.once("error", reject);
    next();
  });
}

function merge(reports: Map<number, RangeReport>): RangeReport {
  const ordered = [...reports].sort(([a], [b]) => a - b).map(([, report]) => report);
  const counts: Record<string, number> = {};
  for (const report of ordered) {
    for (const [name, amount] of Object.entries(report.counts)) counts[name] = (counts[name] ?? 0) + amount;
  }
  const sum = (pick: (report: RangeReport) => number) => ordered.reduce((total, one) => total + pick(one), 0);
  return {
    seeds: sum(({ seeds }) => seeds),
    events: sum(({ events }) => events),
    virtual_ms: sum(({ virtual_ms }) => virtual_ms),
    counts,
    failures: ordered.flatMap(({ failures }) => failures),
    hash: ordered.reduce((mixed, { hash }) => mixHash(mixed, hash), "0"),
  };
}

/** Order matters: the hash of a row of hashes. */
export function mixHash(mixed: string, next: string): string {
  let sum = 0x811c9dc5;
  for (const character of mixed + next) sum = Math.imul(sum ^ character.charCodeAt(0), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}
