import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { simulateSeed } from "../test/simulation/simulate-seed.ts";
import { runSeeds } from "./simulate/run-seeds.ts";
import { summary } from "./simulate/summary.ts";

/**
 * `npm run simulate -- --seeds 10000 [--start 1]` runs that many simulations on all cores;
 * `--seed 42` runs one, with `--trace` telling everything that happens in it.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    start: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

if (values.seed !== undefined) {
  const trace = values.trace ? { trace: (line: string) => console.log(line) } : {};
  const { violations, trace_hash, events, virtual_ms } = await simulateSeed(whole(values.seed), trace);
  console.log(`seed ${values.seed}: ${events} events in ${virtual_ms / 1000} virtual s, trace ${trace_hash}`);
  for (const { invariant, detail } of violations) console.log(`broken: ${invariant}: ${detail}`);
  process.exitCode = violations.length > 0 ? 1 : 0;
} else {
  const report = await runSeeds(whole(values.start), whole(values.seeds), availableParallelism());
  console.log(summary(report));
  process.exitCode = report.failures.length > 0 ? 1 : 0;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${text} is no whole number from 0 up`);
  return number;
}
