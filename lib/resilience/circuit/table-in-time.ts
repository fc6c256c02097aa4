import type { Runtime } from "#lib/platform/runtime/runtime.ts";

/** So long a table may take to answer before the call goes on without it. */
const TABLE_WAIT_MS = 1000;

/** What the table answers; throws when it takes too long. Its late answer is dropped. */
export async function tableInTime<Answer>(
  answer: Promise<Answer>,
  runtime: Pick<Runtime, "sleep">,
): Promise<Answer> {
  const done = new AbortController();
  const late = runtime.sleep(TABLE_WAIT_MS, done.signal).then(() => {
    throw new Error(`the table gave no answer in ${TABLE_WAIT_MS} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    answer.catch(() => undefined);
    done.abort();
  }
}
