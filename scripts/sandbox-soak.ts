import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { ALL_CASES } from "#test/sandbox/cases/all-cases.ts";
import { openOutside } from "#test/sandbox/outside.ts";
import { isFor, leftovers, mounts, runCase } from "#test/sandbox/run-case.ts";
import type { SandboxCase } from "#test/sandbox/sandbox-case.ts";
import { isHere } from "#test/tools.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run sandbox:soak [-- --runs 1000] [-- --parallel 2] [-- --seed 1]

Runs attacks, spoofs and honest commands in a shuffled order, several at a time, under bubblewrap
where it is usable and every fourth under the process backend. Counts wrong codes, limits named
where none was met, and whatever is left behind. Ends with 0 when at least 99.9 % of the codes are
right and nothing is left.`;

const CORRECT_SHARE_MIN = 0.999;
const PROGRESS_RUNS = 25;

interface Tally {
  done: number;
  right: number;
  false_limits: number;
  codes: Map<string, number>;
  wrong: string[];
}

/** A linear congruential generator (Numerical Recipes): the same seed gives the same order. */
function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  let state = seed >>> 0;
  const keyed = items.map((item) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return { item, state };
  });
  return keyed.sort((a, b) => a.state - b.state).map(({ item }) => item);
}

async function plan(runs: number, seed: number, backends: SandboxBackend[]) {
  const cases: SandboxCase[] = [];
  for (const each of Object.values(ALL_CASES).flat()) {
    if (each.needs === undefined || (await isHere(each.needs))) cases.push(each);
  }
  const planned: { each: SandboxCase; backend: SandboxBackend }[] = [];
  for (let round = 0; planned.length < runs; round++) {
    for (const each of shuffled(cases, seed + round)) {
      const backend = backends[planned.length % 4 === 3 ? backends.length - 1 : 0] as SandboxBackend;
      if (isFor(each, backend)) planned.push({ each, backend });
    }
  }
  return planned.slice(0, runs);
}

async function soak(runs: number, parallel: number, seed: number): Promise<boolean> {
  const strongest = await strongestBackend();
  const backends = strongest === processBackend ? [processBackend] : [strongest, processBackend];
  const outside = await openOutside();
  const mounts_before = mounts();
  const waiting = await plan(runs, seed, backends);
  const tally: Tally = { done: 0, right: 0, false_limits: 0, codes: new Map(), wrong: [] };
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { each, backend } = next;
      const name = `${each.name} under ${backend.name}`;
      try {
        const { code, faults, result } = await runCase(each, backend, outside);
        count(
          tally,
          each,
          code,
          [...faults, ...outside.breaches()],
          `${name} (${result.limit?.evidence ?? "no limit"})`,
        );
      } catch (error) {
        count(tally, each, "THREW", [String(error)], name);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  const left = await leftovers(mounts_before);
  outside.close();
  return conclude(tally, left);
}

function count(tally: Tally, each: SandboxCase, code: string, faults: string[], name: string): void {
  tally.done += 1;
  tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1);
  const right = code === each.code && faults.length === 0;
  if (right) tally.right += 1;
  else tally.wrong.push(`${name}: ${code} instead of ${each.code} ${faults.join("; ")}`);
  if (code !== each.code && code.startsWith("SANDBOX_") && !each.code.startsWith("SANDBOX_"))
    tally.false_limits += 1;
  if (tally.done % PROGRESS_RUNS === 0) console.log(`${tally.done} runs, ${tally.right} right`);
}

function conclude({ done, right, false_limits, codes, wrong }: Tally, left: string[]): boolean {
  for (const [code, runs] of [...codes].sort()) console.log(`  ${String(runs).padStart(5)}  ${code}`);
  for (const line of wrong) console.log(`  wrong: ${line}`);
  for (const line of left) console.log(`  left behind: ${line}`);
  const share = `${((100 * right) / done).toFixed(2)} %`;
  console.log(
    `${done} runs: ${right} right codes (${share}), ${false_limits} false limit codes, ${left.length} left behind`,
  );
  return right / done >= CORRECT_SHARE_MIN && false_limits === 0 && left.length === 0;
}

const values = readOptions(HELP, {
  runs: { type: "string", default: "1000" },
  parallel: { type: "string", default: "2" },
  seed: { type: "string", default: "1" },
});
const ok = await soak(Number(values.runs), Number(values.parallel), Number(values.seed));
process.exitCode = ok ? 0 : 1;
