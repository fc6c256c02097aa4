import { closeSync, constants, existsSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";

/** The pipes of a command's standard output and standard error, made once for a volume. */
export interface OutputPipes {
  /** Opens both pipes for one command. */
  open(): { stdout: OutputPipe; stderr: OutputPipe };
  close(): void;
}

interface OutputPipe {
  reader: Socket;
  /** The descriptor for the command. The caller closes it after the command has started. */
  writer: number;
}

export const PIPE_NAMES = ["stdout", "stderr"] as const;

/** Names a file without opening it (open(2)); Node.js has no name for it. The same on x64 and arm64. */
const O_PATH = 0o10000000;

/**
 * Holds the named pipes `stdout` and `stderr` of a directory. Named pipes, because the pipes of Node.js are
 * sockets, and no program can open a socket again by /dev/stdout. They are held by descriptor,
 * because a command may replace the files at their paths.
 */
export function holdPipes(directory: string): OutputPipes {
  const by_descriptor = existsSync("/proc/self/fd");
  const held = PIPE_NAMES.map((name) => {
    const path = join(directory, name);
    const descriptor = by_descriptor ? openSync(path, O_PATH | constants.O_NOFOLLOW) : null;
    return { descriptor, path: descriptor === null ? path : `/proc/self/fd/${descriptor}` };
  });
  const [stdout, stderr] = held.map(({ path }) => path) as [string, string];
  return {
    open: () => ({ stdout: openPipe(stdout), stderr: openPipe(stderr) }),
    close() {
      for (const { descriptor } of held.splice(0)) if (descriptor !== null) closeSync(descriptor);
    },
  };
}

function openPipe(path: string): OutputPipe {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY); // does not block, because the reader is open
  return { reader: new Socket({ fd, readable: true, writable: false }), writer };
}
