import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const TEXT_BYTES_MAX = 64 * 1024 * 1024;

/** Two versions of a published package, between which a fault was mended. */
export const Pair = z.strictObject({
  name: z.string(),
  before: z.string(),
  after: z.string(),
  why: z.string(),
  fix: z.array(z.string()).describe("paths the patch is limited to"),
  tests: z.array(z.string()).describe("paths taken from the later version before anything runs"),
  tools: z
    .array(z.string())
    .describe("what the tests need, packed with the source: a sandbox has no network"),
  test: z.string(),
  format: z.string(),
});
export type Pair = z.infer<typeof Pair>;

export interface Prepared {
  /** The earlier version with the later one's tests and the tools, as tar.gz. */
  archive: string;
  /** The fix as a unified diff. */
  patch: string;
}

const run = promisify(execFile);

/** A published package, unpacked, as the registry of this machine's npm has it. */
export async function unpackPublished(name_and_version: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const packed = await run("npm", ["pack", "--json", "--loglevel=error", name_and_version], {
    cwd: directory,
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  await run("tar", ["-xzf", filename, "--strip-components=1"], { cwd: directory });
  await run("rm", [filename], { cwd: directory });
}

/** Downloads a pair and its tools, and makes the source and the patch of them. */
export async function preparePair(pair: Pair, directory: string): Promise<Prepared> {
  const place = (part: string) => join(directory, part);
  await unpackPublished(`${pair.name}@${pair.before}`, place("a"));
  await unpackPublished(`${pair.name}@${pair.after}`, place("b"));
  for (const path of pair.tests) await cp(place(`b/${path}`), place(`a/${path}`), { recursive: true });
  const patch = place("fix.patch");
  await writeFile(patch, await differences(pair.fix, directory));
  if (pair.tools.length > 0) {
    await mkdir(place("tools"));
    await writeFile(place("tools/package.json"), "{}");
    const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", [...install, ...pair.tools], { cwd: place("tools") });
    await cp(place("tools/node_modules"), place("a/node_modules"), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  const archive = place("source.tgz");
  await run("tar", ["-czf", archive, "-C", place("a"), "."]);
  return { archive, patch };
}

/** `git diff` ends with 1 when there are differences. */
async function differences(paths: readonly string[], directory: string): Promise<string> {
  const parts: string[] = [];
  for (const path of paths) {
    const args = [
      "diff",
      "--no-index",
      "--no-color",
      "--src-prefix=",
      "--dst-prefix=",
      `a/${path}`,
      `b/${path}`,
    ];
    const options = { cwd: directory, maxBuffer: TEXT_BYTES_MAX };
    const found = await run("git", args, options).catch((error: { code: number; stdout: string }) => {
      if (error.code !== 1) throw error;
      return error;
    });
    // Of an added file git names the later tree twice, of a deleted one the earlier.
    const headers = found.stdout.replace(/^diff --git [ab]\/(.*) [ab]\/\1$/gm, "diff --git a/$1 b/$1");
    parts.push(headers);
  }
  return parts.join("");
}
