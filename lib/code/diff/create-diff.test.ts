import { execFile } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import { createDiff } from "#lib/code/diff/create-diff.ts";
import { readTree, type Tree } from "#lib/code/diff/read-tree.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { needing } from "#test/needing.ts";

type Files = Record<string, { mode: "100644" | "100755" | "120000"; text: string | Buffer }>;

const RUNS = 100;

async function writeTree(directory: string, files: Files): Promise<string> {
  await mkdir(directory, { recursive: true });
  for (const [path, { mode, text }] of Object.entries(files)) {
    const absolute = join(directory, path);
    await mkdir(dirname(absolute), { recursive: true });
    if (mode === "120000") await symlink(text, absolute);
    else {
      await writeFile(absolute, text);
      await chmod(absolute, mode === "100755" ? 0o755 : 0o644);
    }
  }
  return directory;
}

function listing(tree: Tree): Record<string, string> {
  const entries = [...tree].map(([path, file]) => [
    path,
    `${file.mode} ${JSON.stringify(file.read().toString("latin1"))}`,
  ]);
  return Object.fromEntries(entries.sort());
}

async function gitApply(directory: string, diff: Buffer): Promise<void> {
  await writeFile(`${directory}.patch`, diff);
  await promisify(execFile)("git", ["apply", "--whitespace=nowarn", `${directory}.patch`], {
    cwd: directory,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
      GIT_CEILING_DIRECTORIES: dirname(directory),
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
    },
  });
}

async function expectReproduced(before: Files, after: Files): Promise<void> {
  return withTemporaryDirectory("diff-test", async (root) => {
    const left = await writeTree(join(root, "before"), before);
    const right = await writeTree(join(root, "after"), after);
    const { bytes, changes } = await createDiff(left, right);
    const expected = listing(await readTree(right));
    if (bytes.length === 0) return expect(listing(await readTree(left))).toEqual(expected);
    const by_git = await writeTree(join(root, "git"), before);
    await gitApply(by_git, bytes);
    expect(listing(await readTree(by_git))).toEqual(expected);
    const own = await writeTree(join(root, "own"), before);
    // Where a file came from, and whether it is flagged, only the side that made the patch says.
    expect(await applyDiff(own, bytes)).toEqual(changes.map(({ from: _, flag: __, ...change }) => change));
    expect(listing(await readTree(own))).toEqual(expected);
    expect((await createDiff(own, right)).bytes.length).toBe(0);
  });
}

const line = fc.constantFrom(
  "",
  "a",
  "b",
  "c",
  " ",
  "\t",
  "-x",
  "+y",
  "\\ z",
  "@@ -1 +1 @@",
  "--- a/q",
  "+++ b/q",
  "-- ",
  "diff --git a/p b/p",
  "héé😀",
  "a\rb",
);
const ending = fc.constantFrom("\n", "\n", "\n", "\r\n");
const text = fc.tuple(fc.array(fc.tuple(line, ending), { maxLength: 24 }), fc.boolean()).map(([lines, cut]) =>
  lines
    .map(([words, end]) => words + end)
    .join("")
    .replace(cut ? /\r?\n$/ : /$^/, ""),
);
const name = fc.constantFrom(
  "a",
  "b",
  "c d",
  'q"q',
  "back\\slash",
  "ünï",
  "x.js",
  "b b",
  " lead",
  "trail ",
  "-dash",
  "a\u0301",
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const file = fc.record({
  mode: fc.constantFrom("100644" as const, "100644" as const, "100755" as const),
  text,
});
// No link in a loop: git itself cannot replace one by a directory (it takes ELOOP for a failure).
const link = fc.record({
  mode: fc.constant("120000" as const),
  text: fc.constantFrom("target", "target/x.js", "nowhere"),
});
const tree = fc
  .array(fc.tuple(path, fc.oneof({ arbitrary: file, weight: 9 }, { arbitrary: link, weight: 1 })), {
    maxLength: 7,
  })
  .map((entries) => {
    const files: Files = {};
    for (const [at, entry] of entries) {
      const clashes = Object.keys(files).some(
        (other) => other.startsWith(`${at}/`) || at.startsWith(`${other}/`),
      );
      if (!clashes) files[at] = entry;
    }
    return files;
  });

/** Edits of a text, so that hunks have context and not only whole files come and go. */
const edits = fc.array(fc.tuple(fc.nat(30), fc.nat(3), fc.array(line, { maxLength: 3 })), { maxLength: 4 });
function edited(source: string, changes: [number, number, string[]][]): string {
  const lines = source.split("\n");
  for (const [at, removed, added] of changes) lines.splice(Math.min(at, lines.length), removed, ...added);
  return lines.join("\n");
}

(await needing("git")).describe("createDiff", () => {
  it("gives what `git apply` and applyDiff turn into exactly the other tree", async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        await expectReproduced(before, after);
      }),
      { numRuns: RUNS },
    );
  });

  it("gives it too when files are edited in place", async () => {
    const long = fc.array(line, { minLength: 12, maxLength: 60 }).map((lines) => lines.join("\n"));
    await fc.assert(
      fc.asyncProperty(long, long, edits, edits, async (one, two, first, second) => {
        const of = (left: string, right: string): Files => ({
          "src/a b.js": { mode: "100644", text: left },
          "run.sh": { mode: "100755", text: right },
        });
        await expectReproduced(of(one, two), of(edited(one, first), edited(two, second)));
      }),
      { numRuns: RUNS },
    );
  });

  it("gives it too when files are in Latin-1, or no text at all", async () => {
    const piece = fc.constantFrom(
      "a\n",
      "caf\xe9\n",
      "\xff\xfe",
      "\r\n",
      "\x1b[0m\n",
      "\n",
      "\0",
      "\xc3\x28\n",
    );
    const bytes = fc
      .array(piece, { maxLength: 30 })
      .map(
        (pieces): Files => ({ "no text": { mode: "100644", text: Buffer.from(pieces.join(""), "latin1") } }),
      );
    const maybe = fc.oneof({ arbitrary: bytes, weight: 9 }, { arbitrary: fc.constant<Files>({}), weight: 1 });
    await fc.assert(
      fc.asyncProperty(maybe, maybe, async (before, after) => {
        await expectReproduced(before, after);
      }),
      { numRuns: RUNS / 2 },
    );
  });
});
