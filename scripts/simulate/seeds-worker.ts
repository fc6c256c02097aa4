import { parentPort } from "node:worker_threads";
import { simulateSeed } from "../../test/simulation/simulate-seed.ts";
import { mixHash, type Range, type RangeReport } from "./run-seeds.ts";

Error.stackTraceLimit = 0; // faults are thrown by the thousand, and nobody reads their stacks

parentPort?.on("message", (range: Range) => {
  simulateRange(range).then(
    (report) => parentPort?.postMessage(report),
    (error: unknown) => {
      throw error;
    },
  );
});

async function simulateRange({ start, seeds }: Range): Promise<RangeReport> {
  const report: RangeReport = { seeds, events: 0, virtual_ms: 0, counts: {}, failures: [], hash: "0" };
  for (let seed = start; seed < start + seeds; seed += 1) {
    const result = await simulateSeed(seed);
    report.events += result.events;
    report.virtual_ms += result.virtual_ms;
    report.hash = mixHash(report.hash, result.trace_hash);
    for (const [name, amount] of result.counts) report.counts[name] = (report.counts[name] ?? 0) + amount;
    const [first] = result.violations;
    if (first) report.failures.push({ seed, ...first });
  }
  return report;
}
