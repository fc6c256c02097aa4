import { z } from "zod";
import type { ModelSettings } from "#lib/config/environment.ts";
import { RetryableFault, TerminalFault, ThrottledFault } from "#lib/errors/fault.ts";

const ANSWER_SECONDS_MAX = 240;

const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

/**
 * One question to a model behind an OpenAI-compatible chat completions endpoint.
 *
 * @throws ThrottledFault `MODEL_THROTTLED` (429, honours Retry-After), RetryableFault
 * `MODEL_UNAVAILABLE` (5xx, no or a late answer), TerminalFault `MODEL_REFUSED` (any other)
 */
export async function askModel(content: string, model: ModelSettings, signal: AbortSignal): Promise<string> {
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
    });
  });
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after"));
    const options = seconds > 0 ? { retry_after_ms: seconds * 1000 } : {};
    throw new ThrottledFault("MODEL_THROTTLED", "The model's endpoint asks for fewer questions.", options);
  }
  if (response.status >= 500) {
    throw new RetryableFault(
      "MODEL_UNAVAILABLE",
      `The model's endpoint answered ${response.status}. It is asked again.`,
    );
  }
  const completion = Completion.safeParse(await response.json().catch(() => undefined));
  if (response.ok && completion.success) return completion.data.choices[0]?.message.content ?? "";
  throw new TerminalFault(
    "MODEL_REFUSED",
    `The model's endpoint answered ${response.status} and no completion. Check MODEL_URL, MODEL_NAME and MODEL_API_KEY, then replay.`,
  );
}
