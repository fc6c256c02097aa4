import { join } from "node:path";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { seededRandom } from "../chaos/seeded-random.ts";
import { bendPatch, bendTree } from "./bend.ts";
import { type Comparison, compare, type Outcome } from "./compare.ts";
import { baseTree, EDITS } from "./edits.ts";
import type { FileTree } from "./file-tree.ts";
import { MAKERS, makeWorkplace, type PatchForm } from "./makers.ts";

export interface ComparisonOptions {
  seed: number;
  /** Forms of a patch at most: edits × ways to write them down, spread evenly when they are fewer than all. */
  forms_max: number;
  /** Bent patches and trees for each form. */
  bends: number;
}

export interface Tally {
  forms: number;
  counts: Record<Outcome, number>;
  /** Our codes, and the ways of `LISTED`, with how often. */
  details: Map<string, number>;
}

export interface ComparisonResult {
  /** By the way the patch was written down. */
  forms: Map<string, Tally>;
  bent: Tally;
  faults: { name: string; detail: string; patch: Buffer; before: FileTree }[];
}

/** Compares our applier with `git apply` on generated patches and on bent ones. */
export async function runComparison(
  { seed, forms_max, bends }: ComparisonOptions,
  progress: (done: number) => void = () => {},
): Promise<ComparisonResult> {
  const result: ComparisonResult = { forms: new Map(), bent: tally(), faults: [] };
  const random = seededRandom(seed);
  const total = Object.keys(EDITS).length * Object.keys(MAKERS).length;
  const share = Math.min(1, forms_max / total);
  const drawn = seededRandom(seed + 1);
  let done = 0;
  for (const [edit_name, edit] of Object.entries(EDITS)) {
    await withTemporaryDirectory("compare-patches", async (root) => {
      const before = baseTree(random);
      const after = new Map(before);
      edit(after, random);
      const workplace = await makeWorkplace(root, before, after);
      for (const [maker_name, maker] of Object.entries(MAKERS)) {
        if (drawn() >= share) continue;
        const form = await maker(workplace).catch((cause) => {
          throw new Error(`${maker_name} of ${edit_name}`, { cause });
        });
        if (form.patch.length === 0) continue;
        done += 1;
        const name = `${maker_name}: ${edit_name}`;
        note(
          result,
          result.forms,
          maker_name,
          name,
          await compare(join(root, "trees"), before, form, after),
          form,
          before,
        );
        for (let bend = 0; bend < bends; bend++) await compareBent(root, name, form, before, random, result);
        progress(done);
      }
    });
  }
  return result;
}

async function compareBent(
  root: string,
  name: string,
  form: PatchForm,
  before: FileTree,
  random: () => number,
  result: ComparisonResult,
): Promise<void> {
  const bends_tree = random() < 0.4;
  const tree = bends_tree ? bendTree(before, random) : before;
  const bent = bends_tree && random() < 0.5 ? form : { ...form, patch: bendPatch(form.patch, random) };
  const comparison = await compare(join(root, "trees"), tree, bent, undefined);
  note(result, new Map([["bent", result.bent]]), "bent", `${name}, bent`, comparison, bent, tree);
}

function tally(): Tally {
  const counts = { same: 0, refused: 0, refused_here: 0, taken_otherwise: 0, other: 0 };
  return { forms: 0, counts, details: new Map() };
}

function note(
  result: ComparisonResult,
  tallies: Map<string, Tally>,
  group: string,
  name: string,
  { outcome, detail }: Comparison,
  { patch }: PatchForm,
  before: FileTree,
): void {
  const counted = tallies.get(group) ?? tally();
  tallies.set(group, counted);
  counted.forms += 1;
  counted.counts[outcome] += 1;
  if (outcome === "other") result.faults.push({ name, detail, patch, before });
  else if (detail !== "") {
    const key = `${outcome}: ${detail}`;
    counted.details.set(key, (counted.details.get(key) ?? 0) + 1);
  }
}
