import type { z } from "zod";

/**
 * A computation on submitted input, as both sides know it: the process that asks for it and the child
 * process that does it. `Input` and `Output` are what the structured clone algorithm can copy.
 */
export interface Computation<Input, Output> {
  /** Names it in requests, errors and spans. */
  readonly name: string;
  /** Checks what the child answered. */
  readonly result: z.ZodType<Output>;
  /** Only a type: what it takes. */
  readonly input?: Input;
}

/** Limits of one computation. */
export interface ComputationLimits {
  /** Elapsed time. */
  wall_seconds_max: number;
  /** Resident memory of the child process, native memory and the engine itself included. */
  memory_bytes_max: number;
  /** Bytes of the answer. */
  output_bytes_max: number;
}

/** Every computation that a child process can do, by name. */
// biome-ignore lint/suspicious/noExplicitAny: each entry has types of its own, checked where it is declared
export type ComputationTable = Readonly<Record<string, (input: any) => unknown>>;
