import { z } from "zod";
import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import { type DayBudgetPorts, NOTHING_SPENT, reserve } from "#lib/resilience/spending/model-spending.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import { askModel, type Question } from "./ask-model.ts";
import { unusable } from "./model-faults.ts";
import { mostOf, spendingOf } from "./money.ts";
import { type Exchange, MODEL_DEPENDENCY } from "./watched-fetch.ts";

/** An answer as it is kept, with what it took. */
export const StoredAnswer = z.strictObject({
  text: z.string(),
  calls: z.array(z.strictObject({ id: z.string(), name: z.string(), input: z.unknown() })),
  finish: z.enum(["complete", "length", "declined"]),
  usage: z.strictObject({
    input_tokens: z.number(),
    cached_input_tokens: z.number(),
    output_tokens: z.number(),
  }),
  spent: z.strictObject({ tokens: z.number(), usd_micros: z.number() }),
  duration_ms: z.number(),
  /** As in configs/codegen.json, and at the endpoint. */
  name: z.string(),
  model: z.string(),
});
export type StoredAnswer = z.infer<typeof StoredAnswer>;

/** Does work once for each key, and gives duplicates its response: lib/resilience/idempotency/run-once.ts. */
export type Once = <Response>(
  key: string,
  source: unknown,
  work: () => Promise<Response>,
) => Promise<Response>;

export interface AnswerPorts {
  once: Once;
  budget: DayBudgetPorts;
  /** Puts the question; over HTTP unless given. */
  ask?: typeof askModel;
}

interface Kept {
  request: BlobRef;
  answer: BlobRef;
}

/**
 * The answer to one question of a step, asked once: it is stored before it is used, so that a duplicate of the message
 * and a worker that takes the step over use it instead of paying again. Between the last byte of an answer and its
 * record lie one PUT and one conditional write; a process that dies there pays twice, for no endpoint takes an answer
 * back. `turn` numbers the questions of the step.
 *
 * Request and answer become artifacts of the step, redacted, also when the question fails.
 *
 * @throws the faults of `askModel`, `unusable`, `reserve`, `runOnce` and of the circuit
 */
export async function storedAnswer(
  question: Question,
  turn: number,
  choice: ModelChoice,
  context: AgentContext,
  ports: AnswerPorts,
): Promise<StoredAnswer> {
  const { envelope, blobs, artifacts } = context;
  const { tenant, task_id, step, round } = envelope;
  const path = `codegen/model/turn-${turn}`;
  const key = `${tenant}/${task_id}/${step}/${round}/${turn}`;
  const work = () => askAndStore(question, `${path}`, choice, context, ports);
  const kept = await ports.once<Kept>(key, null, work);
  const answer = StoredAnswer.parse(JSON.parse(await blobs.readText(kept.answer)));
  const secrets = [choice.secret];
  await artifacts.text(`${path}-request.json`, await blobs.readText(kept.request), "application/json");
  await artifacts.text(`${path}-answer.md`, redactSecrets(readable(answer), secrets), "text/markdown");
  const fault = unusable(answer, choice);
  if (fault) throw fault;
  return answer;
}

async function askAndStore(
  question: Question,
  path: string,
  choice: ModelChoice,
  context: AgentContext,
  { budget, ask = askModel }: AnswerPorts,
): Promise<Kept> {
  const { envelope, blobs, artifacts, call, runtime } = context;
  const exchange: Exchange = { url: "", request: "", answer: "" };
  const reserved = await reserve(envelope.tenant, mostOf(question, choice), choice, budget);
  const started = runtime.now();
  try {
    const asking = (signal: AbortSignal) => ask(question, choice, exchange, signal);
    const answer = await call(MODEL_DEPENDENCY, asking, choice.circuit);
    const spent = spendingOf(answer.usage, choice);
    context.count("model_tokens", spent.tokens);
    context.count("model_usd_micros", spent.usd_micros);
    const { name, model } = choice;
    const stored: StoredAnswer = { ...answer, spent, name, model, duration_ms: runtime.now() - started };
    const kept = {
      answer: await blobs.write(JSON.stringify(stored), "application/json"),
      request: await blobs.write(requestText(exchange, choice), "application/json"),
    };
    await reserved.settle(spent);
    return kept;
  } catch (error) {
    await reserved.settle(NOTHING_SPENT);
    const secrets = [choice.secret];
    if (exchange.request !== "") {
      await artifacts.text(`${path}-request.json`, requestText(exchange, choice), "application/json");
    }
    if (exchange.status !== undefined) {
      const body = `HTTP ${exchange.status}\n\n${exchange.answer}`;
      await artifacts.text(`${path}-answer.txt`, redactSecrets(body, secrets), "text/plain; charset=utf-8");
    }
    throw error;
  }
}

function requestText({ url, request }: Exchange, { secret }: ModelChoice): string {
  let body: unknown = request;
  try {
    body = JSON.parse(request);
  } catch {
    // Kept as it is.
  }
  return `${redactSecrets(JSON.stringify({ url, body }, null, 2), [secret])}\n`;
}

function readable({ text, calls }: StoredAnswer): string {
  const called = calls.map(
    ({ name, input }) => `\n\`${name}\`\n\n\`\`\`json\n${JSON.stringify(input, null, 2)}\n\`\`\`\n`,
  );
  return [text, ...called].join("\n");
}
