import { availableParallelism, totalmem } from "node:os";
import { receivedError } from "#lib/platform/confined/answer.ts";
import { type Child, type Ending, startChild } from "#lib/platform/confined/child.ts";
import type { Computation, ComputationLimits } from "#lib/platform/confined/computation.ts";
import { createFairPlaces } from "#lib/platform/confined/fair-places.ts";
import { memoryLimit, outputLimit } from "#lib/platform/confined/serve-computations.ts";
import { type Fault, RejectedInput, RetryableFault } from "#lib/platform/errors/fault.ts";

/** One computation that is asked for. */
export interface ComputationOrder {
  /** Whose input it is: child processes are shared out among tenants. */
  tenant: string;
  limits: ComputationLimits;
  /** Ends the computation at once. */
  signal: AbortSignal;
  /** Unix ms: the task's deadline, which the elapsed time is cut to. */
  deadline_ms?: number | undefined;
}

/** Runs computations on submitted input in child processes. */
export interface Confinement {
  /**
   * @throws RejectedInput `COMPUTATION_TIME_LIMIT`, `COMPUTATION_MEMORY_LIMIT`, `COMPUTATION_OUTPUT_LIMIT`,
   *   `COMPUTATION_CRASHED`: the same input would end the same way; RetryableFault
   *   `COMPUTATION_UNAVAILABLE` (no child process could be started), `COMPUTATION_INTERRUPTED` (it was
   *   killed from outside); the signal's reason when aborted; and what the computation itself throws
   */
  run<Input, Output>(
    computation: Computation<Input, Output>,
    input: Input,
    order: ComputationOrder,
  ): Promise<Output>;
  /** Ends every child process. */
  close(): void;
}

interface PooledChild {
  child: Child;
  memory_bytes_max: number;
}

/** Of the machine's memory, what one child process may have at most. */
const MEMORY_SHARE = 0.6;
/** A child that holds more than this share of its limit after an answer is replaced. */
const RESIDENT_SHARE_KEPT = 0.5;
const IDLE_MAX = 2;

/**
 * Keeps a few warm child processes, each of which does one computation at a time, shared out among tenants by
 * `createFairPlaces`. A child is replaced when it was killed, crashed or grew.
 *
 * @param entry the program of the child process, which calls `serveComputations`
 */
export function createConfinement(
  entry: URL,
  children_max = Math.max(4, 2 * availableParallelism()),
): Confinement {
  const idle: PooledChild[] = [];
  const busy = new Set<PooledChild>();
  const places = createFairPlaces(children_max);
  async function take(memory_bytes_max: number): Promise<PooledChild> {
    for (let pooled = idle.pop(); pooled; pooled = idle.pop()) {
      if (pooled.child.alive() && pooled.memory_bytes_max === memory_bytes_max) return pooled;
      pooled.child.retire();
    }
    return { child: await startChild(entry, memory_bytes_max), memory_bytes_max };
  }

  function giveBack(pooled: PooledChild, resident_bytes: number): void {
    const grown = resident_bytes > pooled.memory_bytes_max * RESIDENT_SHARE_KEPT;
    if (!grown && idle.length < IDLE_MAX && pooled.child.alive()) idle.push(pooled);
    else pooled.child.retire();
  }

  return {
    async run(computation, input, order) {
      order.signal.throwIfAborted();
      const leave = await places.take(order.tenant, order.signal);
      try {
        const memory_bytes_max = memoryBytesMax(order.limits);
        const pooled = await take(memory_bytes_max);
        busy.add(pooled);
        try {
          const limits = { ...order.limits, memory_bytes_max };
          const value = await ask(pooled, computation.name, input, { ...order, limits }, giveBack);
          return computation.result.parse(value);
        } finally {
          busy.delete(pooled);
        }
      } finally {
        leave();
      }
    },
    close() {
      for (const { child } of [...idle.splice(0), ...busy]) child.kill();
    },
  };
}

async function ask(
  pooled: PooledChild,
  name: string,
  input: unknown,
  { limits, signal, deadline_ms }: ComputationOrder,
  giveBack: (pooled: PooledChild, resident_bytes: number) => void,
): Promise<unknown> {
  const { child } = pooled;
  signal.throwIfAborted();
  const left_ms = deadline_ms === undefined ? Number.POSITIVE_INFINITY : deadline_ms - Date.now();
  const wall_ms = Math.max(0, Math.min(limits.wall_seconds_max * 1000, left_ms));
  let timed_out = false;
  const timer = setTimeout(() => {
    timed_out = true;
    child.kill();
  }, wall_ms);
  const abort = () => child.kill();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const { output_bytes_max } = limits;
    const outcome = await child.ask({ computation: name, input, output_bytes_max });
    if ("ending" in outcome) {
      signal.throwIfAborted();
      throw timed_out ? timeLimit(name, wall_ms) : endingFault(outcome.ending, name, limits);
    }
    const { answer } = outcome;
    if (timed_out || signal.aborted) child.kill();
    else giveBack(pooled, answer.resident_bytes);
    if (answer.kind === "error") throw receivedError(answer.error);
    return answer.value;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function memoryBytesMax({ memory_bytes_max }: ComputationLimits): number {
  const constrained = process.constrainedMemory();
  const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.floor(Math.min(memory_bytes_max, machine * MEMORY_SHARE));
}

/** What V8, Rust and C++ write when no memory is left; the process aborts then. */
const OUT_OF_MEMORY =
  /heap out of memory|Reached heap limit|Allocation failed|memory allocation of \d+ bytes failed|bad_alloc|Cannot allocate memory/;
const CRASHES = new Set(["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS"]);

function endingFault(ending: Ending, name: string, limits: ComputationLimits): Fault {
  if (ending.output_exceeded) return outputLimit({ computation: name, ...limits });
  if (ending.memory_exceeded || OUT_OF_MEMORY.test(ending.stderr)) {
    return memoryLimit(name);
  }
  if (ending.signal !== null && !CRASHES.has(ending.signal)) {
    return new RetryableFault(
      "COMPUTATION_INTERRUPTED",
      `The child process of "${name}" was ended by ${ending.signal} from outside. It is tried again.`,
    );
  }
  const how = ending.signal ?? `exit code ${ending.exit_code}`;
  return new RejectedInput(
    "COMPUTATION_CRASHED",
    `"${name}" crashed on this input (${how}), in a process of its own. The input is nested too deeply or otherwise unusual: simplify it.`,
    { cause: new Error(ending.stderr) },
  );
}

function timeLimit(name: string, wall_ms: number): RejectedInput {
  return new RejectedInput(
    "COMPUTATION_TIME_LIMIT",
    `"${name}" was ended after ${(wall_ms / 1000).toFixed(1)} seconds, the limit for this input. Submit less or simpler input, give a later deadline, or raise wall_seconds_max in configs/computation_limits.json.`,
  );
}
