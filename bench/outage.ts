/**
 * What a dependency's outage does to a fleet: this system beside SQS with nothing but its redrive,
 * and beside cockatiel and opossum in each process, in one run on virtual time. Explained in
 * bench/outage/README.md.
 */
import { parseArgs } from "node:util";
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
  --seed N            arrivals and chance (default 1)
  --quick             less time after the outage
  --json              the figures as JSON instead of tables
  --help              this text`;

const { values } = parseArgs({
  options: {
    trouble: { type: "string" },
    environments: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

Error.stackTraceLimit = 0; // errors are many here, and nobody reads where they come from

const VARIANTS: Variant[] = [ours(), plain(3), plain(20), cockatiel, opossum];

if (values.help) console.log(USAGE);
else await bench();

async function bench(): Promise<void> {
  const troubles = TROUBLES.filter(({ name }) => values.trouble === undefined || values.trouble === name);
  if (troubles.length === 0) throw new Error(`--trouble ${values.trouble} is unknown\n\n${USAGE}`);
  const [seed, environments] = [whole(values.seed), whole(values.environments)];
  const all = [];
  for (const trouble of troubles) {
    const results: { variant: string; figures: Figures }[] = [];
    const plan = makePlan(trouble, seed, environments, values.quick);
    for (const variant of VARIANTS) {
      const tell = progress(`${trouble.name}, ${variant.name}`);
      results.push({ variant: variant.name, figures: figuresOf(await runVariant(variant, plan, tell)) });
    }
    progress("")(0);
    all.push({ trouble: trouble.name, seed, environments, results });
    if (!values.json)
      console.log(`${trouble.name}: ${trouble.description}; seed ${seed}\n\n${table(results)}\n`);
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
