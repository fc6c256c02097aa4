import { type CodeFunctions, computations } from "#lib/code/confined/computations.ts";
import { config } from "#lib/platform/config/config.ts";
import {
  type ComputationOrder,
  type Confinement,
  createConfinement,
} from "#lib/platform/confined/confinement.ts";

/** Functions on submitted code, each call in a child process with limits. */
export type ConfinedCode = CodeFunctions;

/** Beside this file; in a bundle, where scripts/build/bundle.ts puts it. */
const CHILD = new URL("./child.ts", import.meta.url);
const BUNDLED_CHILD = new URL("./confined-child.mjs", import.meta.url);

let shared: Confinement | undefined;

/**
 * The functions on submitted code, under limits. All callers of this process share the child processes.
 *
 * Each throws what the function itself throws, and the codes of `Confinement.run`.
 */
export function confinedCode(order: ComputationOrder): ConfinedCode {
  shared ??= createConfinement(import.meta.url.endsWith(".ts") ? CHILD : BUNDLED_CHILD);
  const confinement = shared;
  return Object.fromEntries(
    Object.entries(computations).map(([name, computation]) => [
      name,
      (...input: unknown[]) => confinement.run(computation as never, input as never, order),
    ]),
  ) as unknown as ConfinedCode;
}

/** What confined work takes of the message or request that it is done for. */
export interface ConfinedContext {
  signal: AbortSignal;
  envelope: { tenant: string; deadline_at: string };
}

/** `confinedCode` for one message, under the limits in force now, until the task's deadline. */
export function confinedCodeFor({ signal, envelope }: ConfinedContext): ConfinedCode {
  return confinedCode({
    tenant: envelope.tenant,
    limits: config.computationLimits().value,
    signal,
    deadline_ms: Date.parse(envelope.deadline_at),
  });
}
