import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Files and folders of one stack's data; deleting the directory starts afresh. */
export interface DataDirectory {
  path: string;
  sqs_and_s3: string;
  dynamodb: string;
  credentials_file: string;
  /** Lets another process have the directory. */
  release(): void;
}

const WAIT_MS = 5_000;
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Takes the directory for this process, waiting up to five seconds for one that is just ending. The
 * lock is the operating system's (through SQLite), so `kill -9` leaves none behind. The process of the
 * emulators has a lock of its own: after a kill of the stack alone it may outlive it for a moment.
 *
 * @throws Error that names the directory or file, when another stack is using it or it cannot be used
 */
export function openDataDirectory(path: string, holder: "stack" | "emulators" = "stack"): DataDirectory {
  const directory = resolve(path);
  makeDirectory(directory);
  const lock_file = join(directory, `${holder}.lock`);
  const pid_file = join(directory, `${holder}.pid`);
  const lock = openLock(lock_file);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY)
      throw unusable(lock_file, error);
    throw new Error(
      `The data directory ${directory} is in use by another local stack${owner(pid_file)}. ` +
        "Stop that one, or choose another directory with --data-dir.",
      { cause: error },
    );
  }
  writeFileSync(pid_file, `${process.pid}\n`);
  return {
    path: directory,
    sqs_and_s3: join(directory, "sqs-and-s3"),
    dynamodb: join(directory, "dynamodb"),
    credentials_file: join(directory, "credentials.json"),
    release: () => lock.close(),
  };
}

/** Makes the directory. @throws Error that names it, when that cannot be */
export function makeDirectory(directory: string): void {
  try {
    makeWithParents(directory);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throwIfFull(directory, cause);
    const reason = (cause as Error).message;
    throw new Error(
      `The data directory ${directory} cannot be used (${reason}). Choose another with --data-dir.`,
      { cause },
    );
  }
}

/** `mkdirSync` with `recursive` never returns where a directory that exists takes no new one, as /proc. */
function makeWithParents(directory: string): void {
  if (existsSync(directory)) return;
  makeWithParents(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** What cannot be written for want of space is not damaged: nothing needs to be deleted of it. */
export function throwIfFull(directory: string, cause: unknown): void {
  const reasons = [cause, (cause as Error | undefined)?.cause].map((error) =>
    error instanceof Error ? `${(error as NodeJS.ErrnoException).code} ${error.message}` : "",
  );
  if (!reasons.some((reason) => /ENOSPC|No space left|database or disk is full|EDQUOT/i.test(reason))) return;
  throw new Error(`The disk with ${directory} is full. Make room on it and start again; the data is whole.`, {
    cause,
  });
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: WAIT_MS });
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Nothing but the lock is in it. */
function unusable(lock_file: string, cause: unknown): Error {
  throwIfFull(dirname(lock_file), cause);
  const reason = (cause as Error).message;
  return new Error(`${lock_file} cannot be used (${reason}). Delete it: it holds no data.`, { cause });
}

function owner(pid_file: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pid_file, "utf8"), 10);
    return Number.isInteger(pid) ? ` (process ${pid})` : "";
  } catch {
    return "";
  }
}
