import type { Runtime } from "#lib/platform/runtime/runtime.ts";

/**
 * Waits for an answer, but not longer than `timeout_ms`. A late answer is dropped; what was sent may still take
 * effect. `send` gets a signal that is aborted at the timeout.
 *
 * @throws Error when there is no answer in time; the error of `send`
 */
export async function answerInTime<Answer>(
  send: (signal: AbortSignal) => Promise<Answer>,
  timeout_ms: number,
  runtime: Pick<Runtime, "sleep">,
): Promise<Answer> {
  const [call, timer] = [new AbortController(), new AbortController()];
  const answer = send(call.signal);
  const late = runtime.sleep(timeout_ms, timer.signal).then(() => {
    call.abort();
    throw new Error(`there was no answer within ${timeout_ms} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    answer.catch(() => undefined);
    timer.abort();
  }
}
