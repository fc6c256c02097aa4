import { Worker } from "node:worker_threads";
import { type Answer, sentError } from "#lib/platform/confined/answer.ts";
import type { ComputationTable } from "#lib/platform/confined/computation.ts";
import { frameOf, readFrame, writeFrame } from "#lib/platform/confined/frames.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/** Descriptors of the child beside the standard three. */
const REQUESTS = 0;
export const ANSWERS = 3;
export const EVIDENCE = 4;

/** What is asked of the child process. */
export interface Request {
  computation: string;
  input: unknown;
  output_bytes_max: number;
}

const IDLE = 0;
const BUSY = 1;
const LOOK_MS = 10;

/**
 * A thread beside the computation. While there is one, it looks every few milliseconds at the resident
 * memory, which no flag of the engine bounds, and at the parent process, whose death a computation would
 * not notice. It ends the process, and says so first when memory was the reason.
 */
const GUARD = `
const { workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const state = new Int32Array(workerData.state);
for (;;) {
  Atomics.wait(state, 0, ${IDLE});
  const resident_bytes = process.memoryUsage.rss();
  if (resident_bytes > workerData.memory_bytes_max) {
    writeSync(${EVIDENCE}, "memory " + resident_bytes);
    process.kill(process.pid, "SIGKILL");
  }
  if (process.ppid !== workerData.parent) process.kill(process.pid, "SIGKILL");
  Atomics.wait(state, 0, ${BUSY}, ${LOOK_MS});
}
`;

/**
 * Serves computations until the parent closes its end: the whole program of a child process. One request
 * at a time is read, worked on and answered. Any end of this process but the normal one is the answer too;
 * the parent reads it from the exit status.
 */
export async function serveComputations(table: ComputationTable, memory_bytes_max: number): Promise<void> {
  const state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const guard = new Worker(GUARD, {
    eval: true,
    execArgv: [],
    env: {},
    workerData: { state: state.buffer, memory_bytes_max, parent: process.ppid },
  });
  await new Promise((resolve) => guard.once("online", resolve));
  writeFrame(ANSWERS, frameOf("ready"));
  for (let read = readFrame(REQUESTS); read !== undefined; read = readFrame(REQUESTS)) {
    const request = read.value as Request;
    Atomics.store(state, 0, BUSY);
    Atomics.notify(state, 0);
    const frame = await answerFrame(table, request);
    writeFrame(ANSWERS, frame);
    Atomics.store(state, 0, IDLE);
    Atomics.notify(state, 0);
  }
  process.exit(0);
}

async function answerFrame(table: ComputationTable, request: Request): Promise<ReturnType<typeof frameOf>> {
  const resident = () => ({ resident_bytes: process.memoryUsage.rss() });
  try {
    const work = table[request.computation];
    if (work === undefined) throw new Error(`The child process knows no computation ${request.computation}.`);
    const value = await work(request.input);
    const frame = frameOf({ kind: "result", value, ...resident() } satisfies Answer);
    if (frame.payload.length > request.output_bytes_max) throw outputLimit(request);
    return frame;
  } catch (thrown) {
    const error = isAllocationFailure(thrown) ? memoryLimit(request.computation) : thrown;
    return frameOf({ kind: "error", error: sentError(error), ...resident() } satisfies Answer);
  }
}

/** Large buffers and strings are refused by an exception, everything else by an abort. */
function isAllocationFailure(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    /allocation failed|Failed to allocate|Invalid string length/i.test(error.message)
  );
}

/** The memory limit was hit. */
export function memoryLimit(computation: string): RejectedInput {
  return new RejectedInput(
    "COMPUTATION_MEMORY_LIMIT",
    `"${computation}" took more memory on this input than it may. Submit less, or raise memory_bytes_max in configs/computation_limits.json.`,
  );
}

/** The answer to a request has more bytes than it may. */
export function outputLimit({
  computation,
  output_bytes_max,
}: Pick<Request, "computation" | "output_bytes_max">): RejectedInput {
  return new RejectedInput(
    "COMPUTATION_OUTPUT_LIMIT",
    `The result of "${computation}" has more than ${output_bytes_max} bytes. Submit less, or raise output_bytes_max in configs/computation_limits.json.`,
  );
}
