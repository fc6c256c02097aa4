import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { unpackPublished } from "../real-packages/prepare.ts";
import known from "./bugs.json" with { type: "json" };

/** One line of a package's source, what it is replaced by, and what a wrong answer makes of that, one a round. */
const Bug = z.strictObject({
  why: z.string(),
  line: z.string(),
  bug: z.string(),
  wrong: z.tuple([z.string(), z.string()]),
});
export type Bug = z.infer<typeof Bug>;

const BuggyPackage = z.strictObject({
  name: z.string(),
  version: z.string(),
  file: z.string().describe("where the bugs are"),
  test: z.string(),
  tools: z.array(z.string()).describe("what the tests need, packed with the source"),
  bugs: z.array(Bug).min(1),
});
export type BuggyPackage = z.infer<typeof BuggyPackage>;

export function readBugs(): BuggyPackage[] {
  return z.array(BuggyPackage).parse(known.packages);
}

const run = promisify(execFile);
const ARCHIVE_BYTES_MAX = 64 * 1024 * 1024;

/** Downloads a package and what its tests need. Returns it as tar.gz. */
export async function preparePackage(
  { name, version, tools }: BuggyPackage,
  directory: string,
): Promise<Buffer> {
  const tree = join(directory, "tree");
  await unpackPublished(`${name}@${version}`, tree);
  if (tools.length > 0) {
    const place = join(directory, "tools");
    await mkdir(place);
    await writeFile(join(place, "package.json"), "{}");
    const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", [...install, ...tools], { cwd: place });
    await cp(join(place, "node_modules"), join(tree, "node_modules"), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  return packed(tree);
}

async function packed(tree: string): Promise<Buffer> {
  const options = { encoding: "buffer" as const, maxBuffer: ARCHIVE_BYTES_MAX };
  return (await run("tar", ["-czf", "-", "-C", tree, "."], options)).stdout;
}

export interface Seeded {
  archive: Buffer;
  /** With the indentation of the file. */
  lines: { right: string; bug: string; wrong: string[] };
}

/**
 * The package with the bug in it. The tree is as published again afterwards.
 *
 * @throws Error when the line is not there exactly once, as in another version of the package
 */
export async function seed(
  directory: string,
  { name, file }: BuggyPackage,
  { line, bug, wrong }: Bug,
): Promise<Seeded> {
  const tree = join(directory, "tree");
  const path = join(tree, file);
  const text = await readFile(path, "utf8");
  const lines = text.split("\n");
  const places = lines.flatMap((one, place) => (one.trim() === line ? [place] : []));
  const [place] = places;
  if (place === undefined || places.length > 1) {
    throw new Error(`${name}/${file} has ${places.length} lines ${JSON.stringify(line)}, not one`);
  }
  const right = lines[place] ?? "";
  const indent = right.slice(0, right.indexOf(line));
  const seeded = lines.with(place, indent + bug).join("\n");
  try {
    await writeFile(path, seeded);
    const archive = await packed(tree);
    return { archive, lines: { right, bug: indent + bug, wrong: wrong.map((one) => indent + one) } };
  } finally {
    await writeFile(path, text);
  }
}
