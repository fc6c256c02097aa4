import { availableParallelism } from "node:os";
import { simulateSeed } from "../test/simulation/simulate-seed.ts";
import { readOptions } from "./read-options.ts";
import { runSeeds } from "./simulate/run-seeds.ts";
import { summary } from "./simulate/summary.ts";

const USAGE = `npm run simulate -- [options]

  --seeds N     runs N simulations on all cores (default 1000)
  --start N     from this seed on (default 1)
  --seed N      runs this one only
  --trace       with --seed: tells everything that happens in it
  --help        this text

Ends with 0 when every invariant held, with 1 otherwise.`;
const PROGRESS_MS = 10_000;

const values = readOptions(USAGE, {
  seeds: { type: "string", default: "1000" },
  start: { type: "string", default: "1" },
  seed: { type: "string" },
  trace: { type: "boolean", default: false },
});

if (values.seed !== undefined) {
  const trace = values.trace ? { trace: (line: string) => console.log(line) } : {};
  const { violations, trace_hash, events, virtual_ms } = await simulateSeed(whole(values.seed), trace);
  console.log(`seed ${values.seed}: ${events} events in ${virtual_ms / 1000} virtual s, trace ${trace_hash}`);
  for (const { invariant, detail } of violations) console.log(`broken: ${invariant}: ${detail}`);
  process.exitCode = violations.length > 0 ? 1 : 0;
} else {
  const seeds = whole(values.seeds);
  const report = await runSeeds(whole(values.start), seeds, availableParallelism(), progress(seeds));
  console.log(summary(report));
  process.exitCode = report.failures.length > 0 ? 1 : 0;
}

/** A line on standard error every ten seconds, and at once for a seed that fails. */
function progress(seeds: number) {
  const started = performance.now();
  let done = 0;
  let said = started;
  return (range: { seeds: number; failures: { seed: number; invariant: string }[] }) => {
    done += range.seeds;
    for (const { seed, invariant } of range.failures) console.error(`seed ${seed} broke: ${invariant}`);
    const now = performance.now();
    if (now - said < PROGRESS_MS) return;
    said = now;
    const rate = Math.round(done / ((now - started) / 1000));
    console.error(`${done} of ${seeds} seeds, ${rate} a second`);
  };
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${text} is no whole number from 0 up`);
  return number;
}
