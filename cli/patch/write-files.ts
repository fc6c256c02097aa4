import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { objectId } from "#lib/code/diff/file-diff.ts";
import type { FileState } from "#lib/code/diff/read-tree.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import type { PlannedPath, Prepared } from "./plan-patch.ts";

/** Where new content is prepared, below the directory that is changed, so that a rename puts it into its place. */
export function stagePath(directory: string, task_id: string): string {
  return join(directory, `.agents-apply-${task_id}`);
}

/** What an earlier run had prepared when it was stopped. */
export function preparedBy(stage: string): Prepared {
  const names = existsSync(stage) ? readdirSync(stage) : [];
  return (id) => {
    for (const name of names.filter((other) => other.startsWith(`${id}-`))) {
      const file = join(stage, name);
      const bytes = lstatSync(file).isSymbolicLink() ? readlinkSync(file, "buffer") : readFileSync(file);
      if (objectId(bytes) === id) return bytes;
    }
    return undefined;
  };
}

interface Step {
  path: string;
  before: FileState | undefined;
  after: FileState | undefined;
  /** Where the new content is prepared. */
  staged: string;
}

/**
 * Changes files all together: everything new is prepared beside them first, then each is put into its place by a
 * rename. When one cannot be, those before it are put back. Where the process is killed between, every file has
 * either its old or its new content, and what was prepared is still there: a second run goes on from that.
 *
 * @param onStep told before each file is changed
 * @throws CliError `APPLY_FAILED`: nothing is changed then
 */
export function writeFiles(
  directory: string,
  stage: string,
  planned: readonly PlannedPath[],
  onStep: (path: string) => void = () => {},
): void {
  const undo: (() => void)[] = [];
  let path = "";
  try {
    const steps = prepare(stage, planned, directory);
    for (const step of inOrder(steps)) {
      path = step.path;
      onStep(path);
      if (step.after === undefined) remove(directory, step, undo);
      else put(directory, step, undo);
    }
  } catch (cause) {
    const { message } = cause as Error;
    for (const back of undo.reverse()) back();
    rmSync(stage, { recursive: true, force: true });
    const where = path === "" ? directory : path;
    throw new CliError(exitCode.error, "APPLY_FAILED", `Cannot write ${where}: ${message}`, {
      hints: ["Nothing was changed: what was written before it was put back."],
      cause,
    });
  }
  rmSync(stage, { recursive: true, force: true });
}

function prepare(stage: string, planned: readonly PlannedPath[], directory: string): Step[] {
  mkdirSync(stage, { recursive: true });
  return planned.map(({ path, before, after }, index) => {
    if (after === undefined) return { path, before, after, staged: "" };
    const staged = join(stage, `${objectId(after.bytes)}-${index}`);
    rmSync(staged, { force: true });
    makeFile(staged, after, before && lstatSync(join(directory, path)).mode);
    return { path, before, after, staged };
  });
}

/** A file keeps its mode but for the executable bits, which git knows. */
function makeFile(file: string, { mode, bytes }: FileState, mode_before: number | undefined): void {
  if (mode === "120000") {
    symlinkSync(bytes, file);
    return;
  }
  writeFileSync(file, bytes, { flag: "wx", ...(mode === "100755" && { mode: 0o777 }) });
  if (mode_before === undefined || (mode_before & 0o170000) !== 0o100000) return;
  const readable = (mode_before & 0o444) >> 2;
  chmodSync(file, mode === "100755" ? mode_before | readable : mode_before & ~0o111);
}

/** Deletions last, because what moves is read from where it was; but what is in the way goes first. */
function inOrder(steps: readonly Step[]): Step[] {
  const puts = steps.filter(({ after }) => after !== undefined);
  const made = new Set(puts.map(({ path }) => path));
  const above_made = new Set(puts.flatMap(({ path }) => ancestorsOf(path)));
  const removals = steps.filter(({ after }) => after === undefined);
  const isInTheWay = ({ path }: Step) =>
    above_made.has(path) || ancestorsOf(path).some((ancestor) => made.has(ancestor));
  return [...removals.filter(isInTheWay), ...puts, ...removals.filter((step) => !isInTheWay(step))];
}

function put(directory: string, { path, before, staged }: Step, undo: (() => void)[]): void {
  const file = join(directory, path);
  makeDirectories(directory, path, undo);
  const mode_before = before && lstatSync(file).mode;
  renameSync(staged, file);
  undo.push(() => {
    unlinkSync(file);
    if (before !== undefined) makeFile(file, before, mode_before);
  });
}

function makeDirectories(directory: string, path: string, undo: (() => void)[]): void {
  for (const ancestor of ancestorsOf(path)) {
    const made = join(directory, ancestor);
    if (existsSync(made)) continue;
    mkdirSync(made);
    undo.push(() => rmdirSync(made));
  }
}

/** The directories that become empty go too, as git does it. */
function remove(directory: string, { path, before }: Step, undo: (() => void)[]): void {
  const file = join(directory, path);
  const { mode } = lstatSync(file);
  unlinkSync(file);
  if (before !== undefined) {
    undo.push(() => {
      mkdirSync(dirname(file), { recursive: true });
      makeFile(file, before, mode);
    });
  }
  for (const ancestor of ancestorsOf(path).reverse()) {
    try {
      rmdirSync(join(directory, ancestor));
    } catch {
      return;
    }
  }
}
