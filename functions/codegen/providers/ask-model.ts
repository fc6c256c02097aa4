import type { ModelMessage, ToolSet } from "ai";
import type { z } from "zod";
import { editTools } from "#lib/code/edits/edit-tools.ts";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import { languageModel } from "./language-model.ts";
import { modelFault, unfinished } from "./model-faults.ts";
import { type Exchange, watchedFetch } from "./watched-fetch.ts";

/** An edit that a model asked for by a tool call. */
interface ToolCall {
  id: string;
  name: string;
  input: unknown;
}

/** One part of a conversation with a model. Each tool call is followed by its result. */
export type Message =
  | { role: "user"; text: string }
  | { role: "assistant"; text: string; calls: ToolCall[] }
  | { role: "tool"; results: { id: string; name: string; text: string }[] };

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

/** An answer that arrived whole, as far as the model wrote it. */
export interface Answer {
  text: string;
  calls: ToolCall[];
  usage: Usage;
  /** Why it ends: it is complete, its tokens were spent, or the model declined. */
  finish: "complete" | "length" | "declined";
}

/**
 * Puts one question to a model, once: retries are the business of the retry policy. What was sent and received stands
 * in `exchange` afterwards, also when it failed.
 *
 * @throws the faults of `modelFault`; the signal's reason
 */
export async function askModel(
  question: Question,
  choice: ModelChoice,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<Answer> {
  const fetch = watchedFetch(exchange, choice, choice.endpoint, signal);
  try {
    const { raw_finish, finish, ...answer } = await generate(question, choice, fetch, signal);
    if (choice.stream && raw_finish === undefined) throw unfinished(exchange, choice);
    const declined = finish === "content-filter";
    return { ...answer, finish: finish === "length" ? "length" : declined ? "declined" : "complete" };
  } catch (error) {
    signal.throwIfAborted();
    throw modelFault(error, choice, exchange);
  }
}

interface Generated extends Omit<Answer, "finish"> {
  finish: string;
  /** As the endpoint said it; undefined when it did not. */
  raw_finish: string | undefined;
}

async function generate(
  { instructions, messages }: Question,
  choice: ModelChoice,
  fetch: typeof globalThis.fetch,
  abortSignal: AbortSignal,
): Promise<Generated> {
  const { generateText, streamText, tool } = await import("ai");
  (globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false; // they would go to the console
  const tools = Object.entries(editTools).map(([name, { description, input }]) => [
    name,
    tool({ description, inputSchema: input as z.ZodType<object> }),
  ]);
  const options = {
    model: await languageModel(choice, fetch),
    instructions,
    messages: messages.map(modelMessage),
    maxOutputTokens: choice.output_tokens_max,
    ...(choice.edit_form === "tools" && { tools: Object.fromEntries(tools) as ToolSet }),
    ...(choice.temperature !== null && { temperature: choice.temperature }),
    maxRetries: 0,
    abortSignal,
  };
  if (!choice.stream) {
    const { text, toolCalls, finishReason, rawFinishReason, usage } = await generateText(options);
    const calls = toolCalls.map(callOf);
    return { text, calls, finish: finishReason, raw_finish: rawFinishReason, usage: usageOf(usage) };
  }
  const result = streamText({ ...options, onError: () => undefined }); // the error is a part of the stream too
  const answer: Generated = {
    text: "",
    calls: [],
    finish: "other",
    raw_finish: undefined,
    usage: usageOf({}),
  };
  for await (const part of result.stream) {
    if (part.type === "text-delta") answer.text += part.text;
    if (part.type === "tool-call") answer.calls.push(callOf(part));
    if (part.type === "error") throw part.error;
    if (part.type === "finish") {
      const { finishReason: finish, rawFinishReason: raw_finish, totalUsage } = part;
      Object.assign(answer, { finish, raw_finish, usage: usageOf(totalUsage) });
    }
  }
  return answer;
}

function callOf({
  toolCallId: id,
  toolName: name,
  input,
}: {
  toolCallId: string;
  toolName: string;
  input: unknown;
}) {
  return { id, name, input };
}

function modelMessage(message: Message): ModelMessage {
  switch (message.role) {
    case "user":
      return { role: "user", content: message.text };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(message.text === "" ? [] : [{ type: "text" as const, text: message.text }]),
          ...message.calls.map(({ id, name, input }) => {
            return { type: "tool-call" as const, toolCallId: id, toolName: name, input };
          }),
        ],
      };
    case "tool":
      return {
        role: "tool",
        content: message.results.map(({ id, name, text }) => {
          const output = { type: "text" as const, value: text };
          return { type: "tool-result" as const, toolCallId: id, toolName: name, output };
        }),
      };
  }
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
