import { setTimeout as sleep } from "node:timers/promises";
import { Unreachable } from "./cli-error.ts";
import { ProblemError } from "./problem-error.ts";

export interface Patience {
  /** How long an outage may last before it is given up on. */
  outage_ms_max: number;
  pause_ms: number;
  /** Told once when an outage begins, and once when it is over. */
  onOutage?: (notice: string) => void;
}

export const patience: Patience = { outage_ms_max: 120_000, pause_ms: 1_000 };

/** Whether an error may be gone in a moment: no connection, a busy or a restarting API. */
function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ProblemError) || error.code === "QUOTA_SPENT") return false;
  return error.status >= 500 || error.status === 429;
}

/**
 * Repeat a request that is safe to repeat, over a restart of the stack for example.
 * @throws what the request threw, when it is not of the passing kind or the outage lasts too long
 */
export async function patiently<Result>(
  request: () => Promise<Result>,
  { outage_ms_max, pause_ms, onOutage }: Patience,
): Promise<Result> {
  let outage_since: number | undefined;
  for (;;) {
    try {
      const result = await request();
      if (outage_since !== undefined) onOutage?.("The API answers again.");
      return result;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (outage_since === undefined) {
        outage_since = Date.now();
        onOutage?.(`${(error as Error).message} Trying again for ${Math.round(outage_ms_max / 1000)} s …`);
      }
      if (Date.now() - outage_since >= outage_ms_max) throw error;
      const asked_ms = error instanceof ProblemError ? error.retry_after_ms : undefined;
      await sleep(asked_ms ?? pause_ms);
    }
  }
}
