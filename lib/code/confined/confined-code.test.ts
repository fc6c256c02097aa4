import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { computations } from "#lib/code/confined/computations.ts";
import { confinedCode } from "#lib/code/confined/confined-code.ts";
import { NOTHING_SHOWN } from "#lib/code/edits/apply-edits.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import { treeOf } from "#lib/code/graph/tree-file.ts";
import { packFiles } from "#lib/code/source/pack-source.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import type { ComputationLimits } from "#lib/platform/confined/computation.ts";

const LIMITS: ComputationLimits = {
  wall_seconds_max: 60,
  memory_bytes_max: 512 * 1024 * 1024,
  output_bytes_max: 16 * 1024 * 1024,
};
const SOURCE = { source_bytes_max: 1e6, tree_bytes_max: 1e6, tree_files_max: 1000 };
const TREE = {
  file_bytes_max: 1e6,
  chunks_kept_max: 100,
  chunk_characters_max: 500,
  excerpt_characters_max: 500,
};
const CODEMOD = { rewritten_file_bytes_max: 1e6, output_bytes_max: 1e6 };

const code = (limits: Partial<ComputationLimits> = {}) =>
  confinedCode({ tenant: "acme", limits: { ...LIMITS, ...limits }, signal: new AbortController().signal });

const rule = (matcher: object, fix = "") => JSON.stringify({ id: "r", language: "js", rule: matcher, fix });

/** `{has: {has: …, stopBy: end}}`, so many levels deep. */
const nested = (levels: number): object =>
  levels === 0 ? { pattern: "absent()" } : { has: { ...nested(levels - 1), stopBy: "end" } };

describe("confined code", () => {
  it("has code for everything it declares", () => {
    expect(Object.keys(codeWork)).toEqual(Object.keys(computations));
    const names = Object.values(computations).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("does each of its functions in a child as it is done here", async () => {
    const archive = await packFiles({
      "a.js": "export const one = () => foo(1);\n",
      "b.md": "# Title\ntext\n",
    });
    await withTemporaryDirectory("confined-test", async (directory) => {
      const before = join(directory, "before");
      const after = join(directory, "after");
      const confined = code();
      await confined.unpackArchive(archive, before, SOURCE);
      await confined.unpackArchive(archive, after, SOURCE);
      const file = { path: join(directory, "tree"), bytes_max: 1e6 };
      await confined.readTreeTo(file, after, TREE);
      expect(await treeOf(file)).toEqual(await readTree(after, TREE));
      await expect(confined.readTreeTo({ ...file, bytes_max: 100 }, after, TREE)).rejects.toMatchObject({
        code: "COMPUTATION_OUTPUT_LIMIT",
      });
      const rules = rule({ pattern: "foo($A)" }, "bar($A)");
      expect(await confined.checkRules(rules)).toBeUndefined();
      expect(await confined.applyCodemod(after, rules, CODEMOD)).toMatchObject({ rules_matched: { r: 1 } });
      const diff = await confined.createDiff(before, after);
      expect(diff).toEqual(await codeWork.createDiff(before, after));
      await confined.parseDiff(diff.bytes);
      expect(await confined.applyDiff(before, diff.bytes)).toEqual(diff.changes);
      expect(await readFile(join(before, "a.js"), "utf8")).toContain("bar(1)");
      const shown = await confined.showFile(after, "a.js", NOTHING_SHOWN);
      expect(shown).toEqual(await codeWork.showFile(after, "a.js", NOTHING_SHOWN));
      const state = shown.kind === "shown" ? shown.state : NOTHING_SHOWN;
      const answer =
        "a.js\n<<<<<<< SEARCH\nexport const one = () => bar(1);\n=======\none();\n>>>>>>> REPLACE\n";
      const edits = await confined.readEdits(answer);
      expect(edits).toEqual(await codeWork.readEdits(answer));
      expect(await confined.applyEdits(after, edits, state)).toMatchObject({
        accepted: [{ path: "a.js" }],
        refused: [],
      });
      expect(await readFile(join(after, "a.js"), "utf8")).toBe("one();\n");
      const versions = await confined.reportFileVersions(after);
      await mkdir(join(after, "reports"));
      await writeFile(
        join(after, "reports/junit.xml"),
        '<testsuite tests="1"><testcase name="a"/></testsuite>',
      );
      const results = await confined.readTestResults(
        { stdout: "", stderr: "", tree: "/tree" },
        { tree: after, before: versions, globs: [] },
      );
      expect(results).toMatchObject({ passed: 1, failed: 0 });
    });
  });

  it("refuses a pattern nested so deep that the parser crashes", async () => {
    const pattern = "[".repeat(100_000) + "]".repeat(100_000);
    const refused = code().checkRules(rule({ pattern }));
    await expect(refused).rejects.toMatchObject({ disposition: "reject", code: /^(COMPUTATION|CODEMOD)_/ });
  });

  it("ends rules that search without end", async () => {
    await withTemporaryDirectory("confined-test", async (directory) => {
      await writeFile(join(directory, "a.js"), `${"(".repeat(100)}1${")".repeat(100)}\n`);
      const refused = code({ wall_seconds_max: 2 }).applyCodemod(directory, rule(nested(8)), CODEMOD);
      await expect(refused).rejects.toMatchObject({ disposition: "reject", code: "COMPUTATION_TIME_LIMIT" });
    });
  });
});
