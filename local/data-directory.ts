import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
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

/**
 * Takes the directory for this process, waiting up to five seconds for one that is just ending. The
 * lock is the operating system's (through SQLite), so `kill -9` leaves none behind. The process of the
 * emulators has a lock of its own: after a kill of the stack alone it may outlive it for a moment.
 *
 * @throws when another stack is using it.
 */
export function openDataDirectory(path: string, holder: "stack" | "emulators" = "stack"): DataDirectory {
  const directory = resolve(path);
  mkdirSync(directory, { recursive: true });
  const lock = new DatabaseSync(join(directory, `${holder}.lock`), { timeout: WAIT_MS });
  const pid_file = join(directory, `${holder}.pid`);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
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

function owner(pid_file: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pid_file, "utf8"), 10);
    return Number.isInteger(pid) ? ` (process ${pid})` : "";
  } catch {
    return "";
  }
}
