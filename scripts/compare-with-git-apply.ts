import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileTree } from "./compare-patches/file-tree.ts";
import { hasCommand } from "./compare-patches/git.ts";
import { type ComparisonResult, runComparison, type Tally } from "./compare-patches/run-comparison.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run compare:patches [-- --seed 1] [-- --forms 5000] [-- --bends 1] [-- --keep <directory>]

Makes patches with git and diff in many forms (git, mail, mbox, diff -ruN, Subversion, Mercurial; binary
files, copies, renames, modes, encodings, line ends), applies each with \`git apply\` and with our own
applier, and compares the trees. Then bends patches and trees at random and compares again.

  --seed <number>      the same seed makes the same patches
  --forms <number>     forms at most, spread over all
  --bends <number>     bent patches and trees for each form
  --keep <directory>   where the patch and the tree of each fault are left

Right is the same tree, or a clear refusal. Ends with 1 when any tree is another one, or when a patch is
taken that git refuses, unless git takes it to the same tree in a way that the script lists.`;

const COLUMNS = ["forms", "same", "refused", "refused_here", "taken_otherwise", "other"] as const;

function row(name: string, tally: Tally): string {
  const numbers = COLUMNS.map((column) => (column === "forms" ? tally.forms : tally.counts[column]));
  return [
    name.padEnd(32),
    ...numbers.map((number, index) => String(number).padStart(COLUMNS[index]?.length ?? 0)),
  ].join("  ");
}

function report({ forms, bent, faults }: ComparisonResult): void {
  console.log(["".padEnd(32), ...COLUMNS].join("  "));
  for (const [name, tally] of forms) console.log(row(name, tally));
  if (bent.forms > 0) console.log(row("bent patches and trees", bent));
  const details = new Map<string, number>();
  for (const tally of [...forms.values(), bent]) {
    for (const [detail, count] of tally.details) details.set(detail, (details.get(detail) ?? 0) + count);
  }
  console.log("");
  for (const [detail, count] of [...details].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(count).padStart(6)}  ${detail}`);
  for (const { name, detail } of faults) console.log(`✗ ${name}: ${detail}`);
  console.log(
    faults.length === 0 ? "✓ The same tree or a clear refusal, each time." : `${faults.length} faults.`,
  );
}

async function keep(directory: string, { faults }: ComparisonResult): Promise<void> {
  for (const [index, { name, detail, patch, before }] of faults.entries()) {
    const place = join(directory, String(index));
    await mkdir(place, { recursive: true });
    await writeFile(join(place, "fault.patch"), patch);
    await writeFile(join(place, "fault.txt"), `${name}: ${detail}\n`);
    await writeFileTree(join(place, "tree"), before);
  }
}

function whole(text: string, name: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`--${name} takes a whole number, not ${text}.`);
}

try {
  const values = readOptions(HELP, {
    seed: { type: "string", default: "1" },
    forms: { type: "string", default: "5000" },
    bends: { type: "string", default: "1" },
    keep: { type: "string" },
  });
  if (!hasCommand("git") || !hasCommand("diff")) throw new Error("git and diff are needed; install both.");
  else {
    const options = {
      seed: whole(values.seed, "seed"),
      forms_max: whole(values.forms, "forms"),
      bends: whole(values.bends, "bends"),
    };
    const result = await runComparison(options, (done) => {
      if (done % 100 === 0) console.error(`${done} forms`);
    });
    report(result);
    if (values.keep !== undefined) await keep(values.keep, result);
    process.exitCode = result.faults.length === 0 ? 0 : 1;
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
