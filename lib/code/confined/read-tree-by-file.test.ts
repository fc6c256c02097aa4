import { appendFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { confinedCode } from "#lib/code/confined/confined-code.ts";
import { leavingOut, type ReadOnce, readThroughFile } from "#lib/code/confined/read-tree-by-file.ts";
import type { Tree } from "#lib/code/graph/read-tree.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { writeTree } from "#test/fakes/small-repository.ts";

const LIMITS = {
  file_bytes_max: 500_000,
  chunks_kept_max: 1000,
  chunk_characters_max: 600,
  excerpt_characters_max: 1000,
};
const patient = new AbortController().signal;
const removals: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of removals.splice(0)) await remove();
});

/** The grammar takes quadratic time for open templates. */
const STALLS = `${"`".repeat(300)}\n`.repeat(1200);

async function readConfined(
  files: Record<string, string>,
  file_seconds_max: number,
  files_left_out_max = 10,
) {
  const { directory, remove } = await writeTree(files);
  removals.push(remove);
  const limits = { wall_seconds_max: 300, memory_bytes_max: 805_306_368, output_bytes_max: 16_000_000 };
  return leavingOut(
    (options, signal) =>
      readThroughFile(
        confinedCode({ tenant: "acme", limits, signal }),
        { directory, limits: LIMITS, bytes_max: 16_000_000 },
        options,
      ),
    { file_seconds_max, files_left_out_max },
    patient,
  );
}

describe("a file that stalls the parser", () => {
  const files = {
    "a.js": "export const a = () => 1;\n",
    "b/stalls.ts": STALLS,
    "c.js": "export const c = () => 2;\n",
  };

  it("is left out of the index and named, and the rest is read", async () => {
    const { files: read, skipped, chunks, revision } = await readConfined(files, 4);
    expect(read.map(({ path }) => path)).toEqual(["a.js", "c.js"]);
    expect(chunks.map(({ symbol }) => symbol)).toEqual(["a", "c"]);
    expect(skipped).toEqual([{ path: "b/stalls.ts", reason: "reading it took longer than 4 s" }]);
    expect(revision).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is refused with a code, and named, when there are more than may be left out", async () => {
    await expect(readConfined(files, 4, 0)).rejects.toMatchObject({
      disposition: "reject",
      code: "FILES_UNREADABLE",
      message: expect.stringContaining('"b/stalls.ts" (reading it took longer than 4 s)'),
    });
  });
});

/** Files are read one after the other; what is said of a file is how the child process ends on it. */
function reading(paths: string[], ends: Record<string, (signal: AbortSignal) => Promise<void> | void>) {
  const runs: string[][] = [];
  const readOnce: ReadOnce = async ({ left_out, trail }, signal) => {
    runs.push([...(left_out?.keys() ?? [])]);
    const skipped: Tree["skipped"] = [];
    for (const path of [...paths, ""]) {
      appendFileSync(trail ?? "", `${path}\0`);
      const reason = left_out?.get(path);
      if (reason) skipped.push({ path, reason });
      else if (path.startsWith("binary")) skipped.push({ path, reason: "binary" });
      else await ends[path]?.(signal);
    }
    return { revision: "", files: [], chunks: [], imports: [], calls: [], symbols: 0, skipped };
  };
  return {
    runs,
    read: (max = 10) => leavingOut(readOnce, { file_seconds_max: 0.3, files_left_out_max: max }, patient),
  };
}

const crash = () => {
  throw new RejectedInput("COMPUTATION_CRASHED", "crashed");
};
const tooMuch = () => {
  throw new RejectedInput("COMPUTATION_MEMORY_LIMIT", "too much");
};
const stall = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("reading a tree", () => {
  it("goes on without each file that a reading ended on, and lists those first", async () => {
    const hostile = "line\nbreak\u202e.js";
    const { read, runs } = reading(["binary.png", "__proto__", hostile, "stalls.js", "z.js"], {
      ["__proto__"]: crash,
      [hostile]: tooMuch,
      "stalls.js": stall,
    });
    expect((await read()).skipped).toEqual([
      { path: "__proto__", reason: "the parser crashed on it" },
      { path: hostile, reason: "reading it took more memory than it may" },
      { path: "stalls.js", reason: "reading it took longer than 0.3 s" },
      { path: "binary.png", reason: "binary" },
    ]);
    expect(runs.map((left_out) => left_out.length)).toEqual([0, 1, 2, 3]);
  });

  it("ends with a code when there are too many of them, after a limited number of readings", async () => {
    const paths = Array.from({ length: 30 }, (_, number) => `f${number}.js`);
    const { read, runs } = reading(paths, Object.fromEntries(paths.map((path) => [path, crash])));
    await expect(read(3)).rejects.toMatchObject({
      code: "FILES_UNREADABLE",
      message: expect.stringContaining("4 files of this source cannot be read"),
    });
    expect(runs).toHaveLength(4);
  });

  it("blames no file for what happens in none, or for another fault", async () => {
    for (const [path, end, code] of [
      ["", crash, "COMPUTATION_CRASHED"],
      [
        "a.js",
        () => Promise.reject(new RejectedInput("COMPUTATION_TIME_LIMIT", "late")),
        "COMPUTATION_TIME_LIMIT",
      ],
    ] as const) {
      const { read, runs } = reading(["a.js"], { [path]: end });
      await expect(read()).rejects.toMatchObject({ code });
      expect(runs).toHaveLength(1);
    }
  });

  it("ends with the task, whatever file it is at", async () => {
    const stop = new AbortController();
    const readOnce: ReadOnce = async ({ trail }, signal) => {
      appendFileSync(trail ?? "", "a.js\0");
      stop.abort(new Error("canceled"));
      signal.throwIfAborted();
      throw new Error("not reached");
    };
    const limits = { file_seconds_max: 60, files_left_out_max: 10 };
    await expect(leavingOut(readOnce, limits, stop.signal)).rejects.toThrow("canceled");
  });
});
