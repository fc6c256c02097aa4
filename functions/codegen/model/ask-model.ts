import type { ModelMessage } from "ai";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import { languageModel } from "./language-model.ts";
import { finishFault, modelFault } from "./model-faults.ts";
import { type Exchange, watchedFetch } from "./watched-fetch.ts";

/** One turn of a conversation with a model. */
export interface Message {
  role: "user" | "assistant";
  text: string;
}

export interface Question {
  instructions: string;
  messages: Message[];
}

/** Tokens as the endpoint counted them; 0 where it did not. */
export interface Usage {
  input_tokens: number;
  /** Of `input_tokens`: read from the endpoint's cache. */
  cached_input_tokens: number;
  output_tokens: number;
}

export interface Answer {
  text: string;
  usage: Usage;
}

/**
 * Puts one question to a model, once: retries are the business of the retry policy. What was sent and received stands
 * in `exchange` afterwards, also when it failed.
 *
 * @throws the faults of `modelFault` and `finishFault`; the signal's reason
 */
export async function askModel(
  question: Question,
  choice: ModelChoice,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<Answer> {
  const fetch = watchedFetch(exchange, choice, choice.endpoint, signal);
  try {
    const finished = await generate(question, choice, fetch as typeof globalThis.fetch, signal);
    const fault = finishFault(finished, choice, exchange);
    if (fault) throw fault;
    return { text: finished.text, usage: finished.usage };
  } catch (error) {
    signal.throwIfAborted();
    throw modelFault(error, choice, exchange);
  }
}

/** An answer that arrived, and why it ended where it does. */
export interface Finished extends Answer {
  finish: string;
  /** As the endpoint said it; undefined when it did not. */
  raw_finish: string | undefined;
}

async function generate(
  { instructions, messages }: Question,
  choice: ModelChoice,
  fetch: typeof globalThis.fetch,
  abortSignal: AbortSignal,
): Promise<Finished> {
  const { generateText, streamText } = await import("ai");
  (globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false; // they would go to the console
  const options = {
    model: await languageModel(choice, fetch),
    instructions,
    messages: messages.map(({ role, text }): ModelMessage => ({ role, content: text })),
    maxOutputTokens: choice.output_tokens_max,
    ...(choice.temperature !== null && { temperature: choice.temperature }),
    maxRetries: 0,
    abortSignal,
  };
  if (!choice.stream) {
    const { text, finishReason, rawFinishReason, usage } = await generateText(options);
    return { text, finish: finishReason, raw_finish: rawFinishReason, usage: usageOf(usage) };
  }
  let failure: { error: unknown } | undefined;
  const result = streamText({
    ...options,
    onError: ({ error }) => {
      failure ??= { error };
    },
  });
  let text = "";
  let finished: Omit<Finished, "text"> | undefined;
  for await (const part of result.stream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "error") throw part.error;
    if (part.type === "finish") {
      const { finishReason: finish, rawFinishReason: raw_finish, totalUsage } = part;
      finished = { finish, raw_finish, usage: usageOf(totalUsage) };
    }
  }
  if (failure) throw failure.error;
  return { text, ...(finished ?? { finish: "other", raw_finish: undefined, usage: usageOf({}) }) };
}

interface CountedTokens {
  inputTokens?: number | undefined;
  inputTokenDetails?: { cacheReadTokens: number | undefined };
  outputTokens?: number | undefined;
}

function usageOf({ inputTokens, inputTokenDetails, outputTokens }: CountedTokens): Usage {
  return {
    input_tokens: inputTokens ?? 0,
    cached_input_tokens: inputTokenDetails?.cacheReadTokens ?? 0,
    output_tokens: outputTokens ?? 0,
  };
}
