import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Which lines are wanted; all that are given must hold. */
export interface LogFilter {
  task?: string | undefined;
  trace?: string | undefined;
  code?: string | undefined;
}

/** A line of a function's log, or of the stack's own. */
export interface LogLine {
  /** When it was written; the stack's own lines call it `time`. */
  at?: string;
  time?: string;
  level?: string;
  service?: string;
  code?: string;
  message?: string;
  task_id?: string;
  trace_id?: string;
}

const LOOK_MS = 200;
const CHUNK_BYTES = 256 * 1024;
/** A line that is longer is no log line of ours. */
const LINE_CHARACTERS_MAX = 1024 * 1024;
const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

/** The log of the nearest local stack: upwards from a directory, then the repository's own. Undefined when there is none. */
export function nearestStackLog(from: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const file = join(directory, ".local", "stack.log");
    if (existsSync(file)) return file;
    if (directory === dirname(directory)) break;
  }
  const own = join(REPOSITORY, ".local", "stack.log");
  return existsSync(own) ? own : undefined;
}

/**
 * The log lines of a file that pass the filter, oldest first. What is no JSON object, such as what a started program printed, is left
 * out. `follow`: goes on with what is added, and from the beginning when the file was made anew.
 */
export async function* readLogLines(
  file: string,
  filter: LogFilter,
  { follow = false }: { follow?: boolean } = {},
): AsyncGenerator<LogLine> {
  let position = 0;
  let rest = "";
  for (;;) {
    const handle = await open(file, "r");
    try {
      if ((await handle.stat()).size < position) [position, rest] = [0, ""];
      const decoder = new TextDecoder();
      for (;;) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
        if (bytesRead === 0) break;
        const whole = lastLineFeed(buffer, bytesRead);
        if (whole === 0 && bytesRead < CHUNK_BYTES) break; // the last line is still being written
        position += whole || bytesRead;
        const lines = (rest + decoder.decode(buffer.subarray(0, whole || bytesRead))).split("\n");
        rest = (lines.pop() ?? "").slice(-LINE_CHARACTERS_MAX);
        for (const line of lines) {
          const read = parseLine(line);
          if (read && matches(read, filter)) yield read;
        }
      }
    } finally {
      await handle.close();
    }
    if (!follow) return;
    await delay(LOOK_MS);
  }
}

/** How many of the bytes are whole lines. */
function lastLineFeed(buffer: Buffer, bytes: number): number {
  return buffer.lastIndexOf(0x0a, bytes - 1) + 1;
}

function parseLine(line: string): LogLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const read: unknown = JSON.parse(line);
    return typeof read === "object" && read !== null && "code" in read ? (read as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

function matches(line: LogLine, { task, trace, code }: LogFilter): boolean {
  return (
    (task === undefined || line.task_id === task) &&
    (trace === undefined || line.trace_id === trace) &&
    (code === undefined || line.code === code)
  );
}
