import { setTimeout as sleep } from "node:timers/promises";
import { ProblemError } from "./problem-error.ts";

const WAITS_MAX = 5;

/**
 * Make a request again when its rate allows. What was refused with 429 was not begun, so any request
 * may be repeated. A spent day is not waited for.
 * @throws what the request threw, when it is anything else or has been waited for five times
 */
export async function whenAllowed<Result>(
  request: () => Promise<Result>,
  onWait: (notice: string) => void = () => undefined,
): Promise<Result> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await request();
    } catch (error) {
      const wait_ms = waitOf(error);
      if (wait_ms === undefined || waits >= WAITS_MAX) throw error;
      onWait(`The API takes no more of these for ${Math.ceil(wait_ms / 1000)} s. Waiting …`);
      await sleep(wait_ms);
    }
  }
}

/** How long the API asked to be left alone; undefined for any other error. */
function waitOf(error: unknown): number | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  return error.status === 429 && error.code === "RATE_LIMITED" ? error.retry_after_ms : undefined;
}
