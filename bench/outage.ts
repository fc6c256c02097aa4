/**
 * What a dependency's outage does to a fleet: this system beside SQS with nothing but its redrive,
 * and beside cockatiel and opossum in each process, in one run on virtual time. Explained in
 * bench/outage/README.md.
 */

import { readOptions } from "../scripts/read-options.ts";
import { cockatiel } from "./outage/cockatiel.ts";
import { type Figures, figuresOf } from "./outage/figures.ts";
import { runVariant, type Variant } from "./outage/lab.ts";
import { opossum } from "./outage/opossum.ts";
import { ours } from "./outage/ours.ts";
import { plain } from "./outage/plain.ts";
import { makePlan, TROUBLES } from "./outage/plan.ts";
import { table } from "./outage/report.ts";

const USAGE = `npm run bench:outage -- [options]

  --trouble NAME      only this one: ${TROUBLES.map(({ name }) => name).join(", ")}
  --environments N    Lambda environments that call the dependency (default 50)
  --variant NAME      only this one, as the columns are called: "this system", cockatiel, opossum, …
  --seed N            arrivals and chance (default 1)
  --seeds N           so many runs, from that seed on: the median of each figure, and the worst in brackets
  --quick             less time after the outage
  --json              the figures as JSON instead of tables
  --help              this text`;

const values = readOptions(USAGE, {
  trouble: { type: "string" },
  environments: { type: "string", default: "50" },
  variant: { type: "string" },
  seed: { type: "string", default: "1" },
  seeds: { type: "string", default: "1" },
  quick: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

Error.stackTraceLimit = 0; // errors are many here, and nobody reads where they come from

const VARIANTS: Variant[] = [ours(), plain(3), plain(20), cockatiel, opossum].filter(
  ({ name }) => values.variant === undefined || values.variant === name,
);

await bench();

async function bench(): Promise<void> {
  const troubles = TROUBLES.filter(({ name }) => values.trouble === undefined || values.trouble === name);
  if (troubles.length === 0) throw new Error(`--trouble ${values.trouble} is unknown\n\n${USAGE}`);
  if (VARIANTS.length === 0) throw new Error(`--variant ${values.variant} is unknown\n\n${USAGE}`);
  const [first, count, environments] = [values.seed, values.seeds, values.environments].map(whole);
  const seeds = Array.from({ length: count ?? 1 }, (_, index) => (first ?? 1) + index);
  const all = [];
  for (const trouble of troubles) {
    const results: { variant: string; figures: Figures[] }[] = [];
    for (const variant of VARIANTS) {
      const figures: Figures[] = [];
      for (const seed of seeds) {
        const plan = makePlan(trouble, seed, environments ?? 50, values.quick);
        const tell = progress(`${trouble.name}, ${variant.name}, seed ${seed}`);
        figures.push(figuresOf(await runVariant(variant, plan, tell)));
      }
      results.push({ variant: variant.name, figures });
    }
    progress("")(0);
    all.push({ trouble: trouble.name, seeds, environments, results });
    if (values.json) continue;
    const runs = seeds.length === 1 ? `seed ${first}` : `seeds ${first} to ${seeds.at(-1)}: median (worst)`;
    console.log(`${trouble.name}: ${trouble.description}; ${runs}\n\n${table(results)}\n`);
  }
  if (values.json) console.log(JSON.stringify(all, undefined, 2));
  else for (const { name, description } of VARIANTS) console.log(`${name}: ${description}`);
}

/** One line on a terminal's standard error that tells how far a run is. */
function progress(what: string) {
  return (minute: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what && `${what}: minute ${minute}`}`);
  };
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${text} is no whole number from 1 up`);
  return number;
}
