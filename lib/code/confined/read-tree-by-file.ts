import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ConfinedCode, type ConfinedContext, confinedCode } from "#lib/code/confined/confined-code.ts";
import type { ReadTreeOptions, Tree, TreeLimits } from "#lib/code/graph/read-tree.ts";
import { treeOf } from "#lib/code/graph/tree-file.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { config } from "#lib/platform/config/config.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { Fault, RejectedInput } from "#lib/platform/errors/fault.ts";
import type { ComputationLimitsConfig } from "#schemas/config/computation-limits.ts";

type StallLimits = Pick<ComputationLimitsConfig, "file_seconds_max" | "files_left_out_max">;

/** Reads a tree once in a child process; ends it with the signal. `trail` is in a directory of this reading's own. */
export type ReadOnce = (
  options: Required<Omit<ReadTreeOptions, "signal">>,
  signal: AbortSignal,
) => Promise<Tree>;

/** How a child process ends on one file, and what the report says of that file. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  COMPUTATION_CRASHED: "the parser crashed on it",
  COMPUTATION_MEMORY_LIMIT: "reading it took more memory than it may",
};

const LOOK_MS = 100;
/** Paths that an error names. */
const NAMED_MAX = 5;

/** All readings of one tree together, in multiples of the time that one may take. */
const READINGS_SHARE = 2;

/**
 * Reads a tree in a child process, for one message. A file that the parser stalls or crashes on is left out, and listed
 * among `skipped` with the reason; the tree is then read again without it.
 *
 * @throws RejectedInput `FILES_UNREADABLE` when that happens with too many files; and what `confinedCode` throws
 */
export function readTreeByFile(
  directory: string,
  limits: TreeLimits,
  context: ConfinedContext,
): Promise<Tree> {
  const computation_limits = config.computationLimits().value;
  const { tenant, deadline_at } = context.envelope;
  const until = Date.now() + READINGS_SHARE * computation_limits.wall_seconds_max * 1000;
  const deadline_ms = Math.min(Date.parse(deadline_at), until);
  const { output_bytes_max: bytes_max } = computation_limits;
  const readOnce: ReadOnce = async (options, signal) => {
    const code = confinedCode({ tenant, limits: computation_limits, signal, deadline_ms });
    return readThroughFile(code, { directory, limits, bytes_max }, options);
  };
  return leavingOut(readOnce, computation_limits, context.signal);
}

/** Lets the child write the tree into a file beside the trail, and reads it from there. */
export async function readThroughFile(
  code: Pick<ConfinedCode, "readTreeTo">,
  { directory, limits, bytes_max }: { directory: string; limits: TreeLimits; bytes_max: number },
  options: Required<Omit<ReadTreeOptions, "signal">>,
): Promise<Tree> {
  const file = { path: join(dirname(options.trail), "tree"), bytes_max };
  await code.readTreeTo(file, directory, limits, options);
  return treeOf(file);
}

/** Reads until it succeeds, each time without the files that ended a reading before. */
export async function leavingOut(
  readOnce: ReadOnce,
  limits: StallLimits,
  signal: AbortSignal,
): Promise<Tree> {
  const left_out = new Map<string, string>();
  for (let files = 0; files <= limits.files_left_out_max; files += 1) {
    const outcome = await withTemporaryDirectory("trail", (directory) =>
      readAndWatch(readOnce, { left_out, trail: join(directory, "trail") }, limits, signal),
    );
    if ("tree" in outcome) return { ...outcome.tree, skipped: leftOutFirst(outcome.tree, left_out) };
    left_out.set(outcome.path, outcome.reason);
  }
  const paths = [...left_out];
  const named = paths.slice(0, NAMED_MAX).map(([path, reason]) => `${JSON.stringify(path)} (${reason})`);
  throw new RejectedInput(
    "FILES_UNREADABLE",
    `${paths.length} files of this source cannot be read for the index, and ${limits.files_left_out_max} may be left out. Take them out of the source, or raise files_left_out_max in configs/computation_limits.json. The first: ${named.join(", ")}.`,
  );
}

/** First, because a report lists a limited number. */
function leftOutFirst({ skipped }: Tree, left_out: ReadonlyMap<string, string>): Tree["skipped"] {
  return skipped.toSorted((a, b) => Number(left_out.has(b.path)) - Number(left_out.has(a.path)));
}

type Outcome = { tree: Tree } | { path: string; reason: string };

/** One reading, which is ended when it stays at one file for too long. */
async function readAndWatch(
  readOnce: ReadOnce,
  options: Required<Omit<ReadTreeOptions, "signal">>,
  { file_seconds_max }: StallLimits,
  signal: AbortSignal,
): Promise<Outcome> {
  const { trail } = options;
  const stalled = new AbortController();
  const watch = watchTrail(trail, file_seconds_max * 1000, () => stalled.abort(new Error("stalled")));
  try {
    return { tree: await readOnce(options, AbortSignal.any([signal, stalled.signal])) };
  } catch (error) {
    signal.throwIfAborted();
    const crashed = error instanceof Fault ? REASONS[error.code as ErrorCode] : undefined;
    const reason = stalled.signal.aborted ? `reading it took longer than ${file_seconds_max} s` : crashed;
    const path = await lastOn(trail);
    if (reason === undefined || path === "" || options.left_out.has(path)) throw error;
    return { path, reason };
  } finally {
    clearInterval(watch);
  }
}

/** Calls `onStall` when the trail has begun and has not grown for so long. */
function watchTrail(trail: string, stall_ms: number, onStall: () => void): NodeJS.Timeout {
  let seen_bytes = 0;
  let seen_at = performance.now();
  return setInterval(async () => {
    const bytes = await stat(trail).then(
      ({ size }) => size,
      () => 0,
    );
    if (bytes !== seen_bytes) {
      seen_bytes = bytes;
      seen_at = performance.now();
    } else if (bytes > 0 && performance.now() - seen_at > stall_ms && (await lastOn(trail)) !== "") onStall();
  }, LOOK_MS);
}

/** The path that was begun last; "" when none is under way. */
async function lastOn(trail: string): Promise<string> {
  const text = await readFile(trail, "utf8").catch(() => "");
  return text.split("\0").at(-2) ?? "";
}
