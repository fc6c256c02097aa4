import { z } from "zod";
import {
  type Fault,
  QuotaFault,
  RetryableFault,
  TerminalFault,
  ThrottledFault,
} from "#lib/platform/errors/fault.ts";
import type { ModelSettings } from "#lib/platform/settings/environment.ts";
import { requestedWaitMs } from "#lib/resilience/retry/retry-after.ts";

const ANSWER_SECONDS_MAX = 240;
/** What asks for a longer wait is a spent quota, not a pace that is too fast. */
const THROTTLE_MS_MAX = 60_000;
const QUOTA_STATUSES = [402, 403, 429];
const dependency = "model";

const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

/**
 * One question to a model behind an OpenAI-compatible chat completions endpoint.
 *
 * @throws ThrottledFault `MODEL_THROTTLED` (429, honours Retry-After up to a minute), QuotaFault
 * `MODEL_QUOTA_SPENT` (429, 402 or 403 that say when to come back, later than that), RetryableFault
 * `MODEL_UNAVAILABLE` (5xx, no or a late answer), TerminalFault `MODEL_REFUSED` (any other)
 */
export async function askModel(
  content: string,
  model: ModelSettings,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<string> {
  const response = await fetch(model.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(model.api_key && { authorization: `Bearer ${model.api_key}` }),
    },
    body: JSON.stringify({ model: model.name, temperature: 0, messages: [{ role: "user", content }] }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_SECONDS_MAX * 1000)]),
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new RetryableFault("MODEL_UNAVAILABLE", "The model's endpoint did not answer. It is asked again.", {
      cause,
      dependency,
    });
  });
  const refusal = refusalOf(response, now());
  if (refusal) throw refusal;
  const completion = Completion.safeParse(await response.json().catch(() => undefined));
  if (response.ok && completion.success) return completion.data.choices[0]?.message.content ?? "";
  throw new TerminalFault(
    "MODEL_REFUSED",
    `The model's endpoint answered ${response.status} and no completion. Check MODEL_URL, MODEL_NAME and MODEL_API_KEY, then replay.`,
    { dependency },
  );
}

/** What the status and the headers say by themselves; undefined when the body is needed. */
function refusalOf({ status, headers }: Response, now_ms: number): Fault | undefined {
  const retry_after_ms = requestedWaitMs(headers, now_ms);
  const long = retry_after_ms !== undefined && retry_after_ms > THROTTLE_MS_MAX;
  if (QUOTA_STATUSES.includes(status) && (long || (status !== 429 && retry_after_ms !== undefined))) {
    const retry_at_ms = now_ms + retry_after_ms;
    return new QuotaFault(
      "MODEL_QUOTA_SPENT",
      `The model's quota is spent until ${new Date(retry_at_ms).toISOString()}.`,
      { retry_at_ms, dependency },
    );
  }
  if (status === 429) {
    const options = { retry_after_ms, dependency };
    return new ThrottledFault("MODEL_THROTTLED", "The model's endpoint asks for fewer questions.", options);
  }
  if (status < 500) return undefined;
  return new RetryableFault(
    "MODEL_UNAVAILABLE",
    `The model's endpoint answered ${status}. It is asked again.`,
    { retry_after_ms, dependency },
  );
}
