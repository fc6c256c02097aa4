import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import type { Spending } from "#lib/resilience/spending/model-spending.ts";
import type { Message, Question, Usage } from "./ask-model.ts";

type Priced = Pick<ModelChoice, "usd_per_million_tokens">;
type Limited = Priced & Pick<ModelChoice, "output_tokens_max">;

/** What an answer cost. USD a million tokens is the same number as millionths of a USD a token. */
export function spendingOf(
  { input_tokens, cached_input_tokens, output_tokens }: Usage,
  { usd_per_million_tokens: { input, cached_input = input, output } }: Priced,
): Spending {
  const fresh = Math.max(0, input_tokens - cached_input_tokens);
  const usd_micros = Math.ceil(fresh * input + cached_input_tokens * cached_input + output_tokens * output);
  return { tokens: input_tokens + output_tokens, usd_micros };
}

/**
 * Tokens of a text by a bound that no tokenizer exceeds: tokenizers that work on bytes have a token for each byte, and
 * longer ones for what is frequent.
 */
export function tokensAtMost(text: string): number {
  return Buffer.byteLength(text);
}

/** What an endpoint adds to every message, and to the question, for its roles and turns. */
const MESSAGE_TOKENS = 16;

/** The tokens of a question by the same bound. */
export function questionTokensAtMost({ instructions, messages }: Question): number {
  const texts = [instructions, ...messages.map(textOf)];
  return texts.reduce((sum, text) => sum + tokensAtMost(text) + MESSAGE_TOKENS, 0);
}

function textOf(message: Message): string {
  switch (message.role) {
    case "user":
      return message.text;
    case "assistant":
      return message.text + JSON.stringify(message.calls);
    case "tool":
      return JSON.stringify(message.results);
  }
}

/** The most that one question and its answer can cost. */
export function mostOf(question: Question, choice: Limited): Spending {
  const usage = {
    input_tokens: questionTokensAtMost(question),
    cached_input_tokens: 0,
    output_tokens: choice.output_tokens_max,
  };
  return spendingOf(usage, choice);
}
