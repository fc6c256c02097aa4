import type { ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Answer } from "#lib/platform/confined/answer.ts";
import { FrameReader, FrameTooLong, frameOf } from "#lib/platform/confined/frames.ts";
import { ANSWERS, EVIDENCE, type Request } from "#lib/platform/confined/serve-computations.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";

/** How a child process ended, other than by answering. */
export interface Ending {
  exit_code: number | null;
  signal: NodeJS.Signals | null;
  /** The child's own guard ended it for its memory. */
  memory_exceeded: boolean;
  /** The answer was longer than allowed. */
  output_exceeded: boolean;
  /** The last of what the engine wrote to standard error. */
  stderr: string;
}

export interface Child {
  readonly pid: number;
  /** Sends a request; resolves with the answer or with how the process ended instead. */
  ask(request: Request): Promise<{ answer: Answer } | { ending: Ending }>;
  kill(): void;
  /** Lets it end by itself: its input is closed. */
  retire(): void;
  /** Has not ended, as far as is known. */
  alive(): boolean;
}

const START_MS_MAX = 30_000;
const STDERR_CHARACTERS_MAX = 4096;
const READY_BYTES_MAX = 1024;
const MEBIBYTE = 1024 * 1024;
/**
 * Private memory that is mapped and not touched, on top of the resident limit: the two threads' engines
 * reserve 512 MiB each for machine code (measured with Node 24 on x64), and threads have stacks.
 */
const DATA_MARGIN_BYTES = 1536 * MEBIBYTE;
/** The share of the memory limit that the JavaScript heap may have. */
const HEAP_SHARE = 0.8;
/** Below the process that serves requests, so that these stay prompt on a busy machine. */
const NICE = constants.priority.PRIORITY_BELOW_NORMAL;

/** Sets what only a shell can set before a program: no core file, and the size of private memory. */
const SHELL = 'ulimit -c 0; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';

/**
 * Starts a child process that serves computations and waits until it is ready. It inherits no
 * environment and no open files, and leads a session of its own, so that a terminal's signals do not reach it.
 *
 * @throws RetryableFault `COMPUTATION_UNAVAILABLE`
 */
export async function startChild(entry: URL, memory_bytes_max: number): Promise<Child> {
  const heap_mebibytes = Math.floor((memory_bytes_max * HEAP_SHARE) / MEBIBYTE);
  const data_kibibytes = Math.floor((memory_bytes_max + DATA_MARGIN_BYTES) / 1024);
  const program = [
    process.execPath,
    `--max-old-space-size=${heap_mebibytes}`,
    "--disable-warning=ExperimentalWarning",
  ];
  const script = [fileURLToPath(entry), String(memory_bytes_max)];
  const child = spawnProgram("/bin/sh", ["-c", SHELL, "sh", String(data_kibibytes), ...program, ...script], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "pipe", "pipe", "pipe"],
  });
  return new StartedChild(child).ready();
}

/** Puts the pieces of one child process together: its pipes, its exit, and who waits for it. */
class StartedChild implements Child {
  readonly #process: ChildProcess;
  readonly #reader = new FrameReader();
  #bytes_max = READY_BYTES_MAX;
  #waiting: ((outcome: { value: unknown } | { ending: Ending }) => void) | undefined;
  #ending: Ending | undefined;
  #output_exceeded = false;
  #stderr = "";
  #evidence = "";

  constructor(child: ChildProcess) {
    this.#process = child;
    child.once("error", (error) => this.#end(null, null, String(error)));
    child.once("close", (exit_code, signal) => this.#end(exit_code, signal, this.#stderr));
    for (const stream of child.stdio) stream?.on("error", () => {});
    child.stderr?.on("data", (text) => {
      this.#stderr = (this.#stderr + String(text)).slice(-STDERR_CHARACTERS_MAX);
    });
    (child.stdio[EVIDENCE] as Readable | undefined)?.on("data", (text) => {
      this.#evidence = (this.#evidence + String(text)).slice(0, STDERR_CHARACTERS_MAX);
    });
    (child.stdio[ANSWERS] as Readable | undefined)?.on("data", (piece: Buffer) => this.#accept(piece));
  }

  async ready(): Promise<Child> {
    const timer = setTimeout(() => this.kill(), START_MS_MAX);
    const outcome = await this.#next();
    clearTimeout(timer);
    this.#hold(false);
    if ("value" in outcome) {
      lowerPriority(this.pid);
      return this;
    }
    throw new RetryableFault(
      "COMPUTATION_UNAVAILABLE",
      "The child process for computations on submitted input did not start. It is tried again.",
      { cause: new Error(JSON.stringify(outcome.ending)) },
    );
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async ask(request: Request): Promise<{ answer: Answer } | { ending: Ending }> {
    this.#bytes_max = request.output_bytes_max + READY_BYTES_MAX;
    this.#hold(true);
    const next = this.#next();
    const { header, payload } = frameOf(request);
    this.#process.stdin?.write(header);
    this.#process.stdin?.write(payload);
    const outcome = await next;
    this.#hold(false);
    return "value" in outcome ? { answer: outcome.value as Answer } : outcome;
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  retire(): void {
    this.#process.stdin?.end();
  }

  alive(): boolean {
    return this.#ending === undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  #next(): Promise<{ value: unknown } | { ending: Ending }> {
    if (this.#ending) return Promise.resolve({ ending: this.#ending });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #settle(outcome: { value: unknown } | { ending: Ending }): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(outcome);
  }

  #accept(piece: Buffer): void {
    if (this.#output_exceeded) return;
    try {
      const frame = this.#reader.accept(piece, this.#bytes_max);
      if (frame) this.#settle(frame);
    } catch (error) {
      // What cannot be read is not waited for: the process ends, and its ending is the answer.
      this.#output_exceeded = error instanceof FrameTooLong;
      this.kill();
    }
  }

  #end(exit_code: number | null, signal: NodeJS.Signals | null, stderr: string): void {
    this.#ending ??= {
      exit_code,
      signal,
      stderr,
      memory_exceeded: this.#evidence.startsWith("memory"),
      output_exceeded: this.#output_exceeded,
    };
    this.#settle({ ending: this.#ending });
  }

  /** An idle child does not keep the process that started it alive. */
  #hold(held: boolean): void {
    const method = held ? "ref" : "unref";
    this.#process[method]();
    for (const stream of this.#process.stdio)
      (stream as ((Readable | Writable) & Partial<Held>) | null)?.[method]?.();
  }
}

type Held = Record<"ref" | "unref", () => void>;

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // Not allowed here, or gone already: its limits hold all the same.
  }
}
