import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import {
  Fault,
  type FaultOptions,
  QuotaFault,
  RejectedInput,
  RetryableFault,
  TerminalFault,
  ThrottledFault,
} from "#lib/platform/errors/fault.ts";
import { printable } from "#lib/platform/log/printable.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import { requestedWaitMs } from "#lib/resilience/retry/retry-after.ts";
import type { Answer } from "./ask-model.ts";
import { answerCut, MODEL_DEPENDENCY as dependency, type Exchange } from "./watched-fetch.ts";

/** What asks for a longer wait is a spent quota, not a pace that is too fast. */
const THROTTLE_MS_MAX = 60_000;
const QUOTA_STATUSES = [402, 403, 429];
/** Anthropic answers it when all its customers together ask too much: https://docs.anthropic.com/en/api/errors */
const OVERLOADED_STATUS = 529;
const OVERLOADED = /overloaded|ServiceUnavailable|Throttling/i;

/** What was asked, for the fault's sentence and for what must not stand in it. */
type Asked = Pick<ModelChoice, "name" | "secret" | "stream" | "provider">;

/**
 * The fault of a question that got no usable answer. What the endpoint said itself is in the sentence, redacted.
 *
 * - no answer or 5xx: RetryableFault `MODEL_UNAVAILABLE`; broken off: `MODEL_ANSWER_CUT`, `MODEL_ANSWER_STALLED`,
 *   `MODEL_ANSWER_LATE`
 * - 429: ThrottledFault `MODEL_THROTTLED`, which honours Retry-After up to a minute; 529 and an overload told in
 *   mid-stream: ThrottledFault `MODEL_OVERLOADED`
 * - 429, 402 or 403 that say when to come back, later than that: QuotaFault `MODEL_QUOTA_SPENT`
 * - 401, 403: TerminalFault `MODEL_CREDENTIALS_REFUSED`; 404: `MODEL_NOT_FOUND`; any other 4xx: `MODEL_REFUSED`
 * - 200 with something else than an answer: TerminalFault `MODEL_ANSWER_MALFORMED`
 */
export function modelFault(
  error: unknown,
  asked: Asked,
  exchange: Exchange,
  now: () => number = Date.now,
): Fault {
  if (exchange.broken) return exchange.broken;
  if (error instanceof Fault) return error;
  const { status } = exchange;
  if (status === undefined) return notAsked(error, asked);
  const said = endpointMessage(exchange, asked);
  if (status < 200 || status >= 300) return statusFault(status, said, exchange, now());
  return answerFault(error, said, asked, exchange);
}

/** The fault of an answer that arrived and is of no use: `MODEL_ANSWER_TRUNCATED` or `MODEL_DECLINED`. */
export function unusable(
  { finish, text }: Pick<Answer, "finish" | "text">,
  asked: Asked & Pick<ModelChoice, "output_tokens_max">,
): Fault | undefined {
  if (finish === "complete") return undefined;
  if (finish === "length") {
    return new RejectedInput(
      "MODEL_ANSWER_TRUNCATED",
      `The model's answer was cut off after output_tokens_max (${asked.output_tokens_max} tokens) of the model "${asked.name}": its edits are not complete, and none is applied. Ask for a smaller change, or raise output_tokens_max.`,
      { dependency },
    );
  }
  const words = text.trim() === "" ? "It gave no reason." : `It said: ${quoted(text, asked)}`;
  return new RejectedInput("MODEL_DECLINED", `The model declined the change. ${words}`, { dependency });
}

/** The stream ended without saying why: the connection was cut, or it was no stream. */
export function unfinished(exchange: Exchange, asked: Asked): Fault {
  const type = exchange.headers?.get("content-type") ?? "";
  return /event-?stream/.test(type) ? answerCut(exchange) : malformed(exchange, asked, undefined);
}

function notAsked(cause: unknown, { name }: Asked): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TerminalFault(
    "MODEL_NOT_USABLE",
    `The model "${name}" could not be asked: ${printable(reason)} Check its entry in configs/codegen.json.`,
    { cause, dependency, dependency_answered: true },
  );
}

function statusFault(status: number, said: string, { headers }: Exchange, now_ms: number): Fault {
  const retry_after_ms = headers && requestedWaitMs(headers, now_ms);
  const long = retry_after_ms !== undefined && retry_after_ms > THROTTLE_MS_MAX;
  if (retry_after_ms !== undefined && QUOTA_STATUSES.includes(status) && (long || status !== 429)) {
    const retry_at_ms = now_ms + retry_after_ms;
    const until = new Date(retry_at_ms).toISOString();
    return new QuotaFault("MODEL_QUOTA_SPENT", `The model's quota is spent until ${until}. ${said}`.trim(), {
      retry_at_ms,
      dependency,
    });
  }
  const options: FaultOptions = { retry_after_ms, dependency };
  if (status === 429) {
    return new ThrottledFault(
      "MODEL_THROTTLED",
      `The model's endpoint asks for fewer questions. ${said}`.trim(),
      options,
    );
  }
  if (status === OVERLOADED_STATUS) return overloaded(said, options);
  if (status >= 500 || status === 408) {
    const sentence = `The model's endpoint answered ${status}. It is asked again. ${said}`.trim();
    return new RetryableFault("MODEL_UNAVAILABLE", sentence, options);
  }
  return refused(status, said);
}

function overloaded(said: string, options: FaultOptions): Fault {
  return new ThrottledFault(
    "MODEL_OVERLOADED",
    `The model's endpoint is overloaded. It is asked again later. ${said}`.trim(),
    options,
  );
}

function refused(status: number, said: string): Fault {
  const sentence = (what: string, advice: string) =>
    `The model's endpoint answered ${status}: ${what}. ${said} ${advice}`.replace(/ +/g, " ");
  if (status === 401 || status === 403) {
    return new TerminalFault(
      "MODEL_CREDENTIALS_REFUSED",
      sentence("it refuses the key", "Check the key of this model, then replay."),
      { dependency },
    );
  }
  if (status === 404) {
    return new TerminalFault(
      "MODEL_NOT_FOUND",
      sentence("there is no such model or path", "Check the model's name and URL, then replay."),
      { dependency },
    );
  }
  return new TerminalFault(
    "MODEL_REFUSED",
    sentence("it refuses the question", "Check the model's settings, then replay."),
    { dependency },
  );
}

/** Status 200, and yet no answer. */
function answerFault(error: unknown, said: string, asked: Asked, exchange: Exchange): Fault {
  const told = errorInStream(exchange, asked);
  if (told !== undefined) {
    if (OVERLOADED.test(told.type)) return overloaded(told.said, { dependency });
    const sentence = `The model's endpoint failed in the middle of its answer. It is asked again. ${told.said}`;
    return new RetryableFault("MODEL_UNAVAILABLE", sentence.trim(), { cause: error, dependency });
  }
  if (asked.stream && isCutStream(exchange)) return answerCut(exchange, error);
  return malformed(exchange, asked, said === "" ? error : undefined);
}

/** A stream of events whose last event is not complete, or that never said why it ended. */
function isCutStream({ headers, answer }: Exchange): boolean {
  const type = headers?.get("content-type") ?? "";
  if (type.includes("vnd.amazon.eventstream")) return !answer.includes("messageStop");
  if (!type.includes("event-stream")) return false;
  if (!/\n\r?\n\s*$/.test(answer)) return true;
  const events = answer.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return events.every((line) => isJson(line.slice(5)) || line.slice(5).trim() === "[DONE]");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function malformed(exchange: Exchange, asked: Asked, cause: unknown): Fault {
  const type = exchange.headers?.get("content-type") ?? "no content type";
  const advice = asked.stream
    ? "Check the model's provider and base_url, and set `stream` to false for an endpoint that does not stream."
    : "Check the model's provider and base_url.";
  return new TerminalFault(
    "MODEL_ANSWER_MALFORMED",
    `The model's endpoint answered 200 with ${printable(type)} that is no answer of ${asked.provider}. It begins: ${quoted(exchange.answer, asked)} ${advice}`,
    { cause, dependency },
  );
}

const ERROR_EVENT = /^data: ?(\{.*"error".*\})\r?$/m;

/** The error that an endpoint wrote into its stream, after status 200. */
function errorInStream({ answer }: Exchange, asked: Asked): { type: string; said: string } | undefined {
  const [, event] = ERROR_EVENT.exec(answer) ?? [];
  if (event === undefined || !isJson(event)) return undefined;
  const { error } = JSON.parse(event) as { error?: unknown };
  if (typeof error !== "object" || error === null) return undefined;
  const type = String((error as { type?: unknown }).type ?? "");
  return { type: `${type} ${messageIn(error) ?? ""}`, said: saying(messageIn(error), asked) };
}

/** The sentence of the endpoint itself: `error.message`, `message`, `detail`, or the beginning of its body. */
function endpointMessage({ answer }: Exchange, asked: Asked): string {
  if (answer.trim() === "") return "";
  if (!isJson(answer)) return saying(answer, asked);
  return saying(messageIn(JSON.parse(answer)), asked);
}

const MESSAGE_FIELDS = ["message", "Message", "error", "detail", "errors", "error_description"];
const DEPTH_MAX = 4;

function messageIn(body: unknown, depth = 0): string | undefined {
  if (typeof body === "string") return body;
  if (typeof body !== "object" || body === null || depth > DEPTH_MAX) return undefined;
  if (Array.isArray(body)) return messageIn(body[0], depth + 1);
  for (const field of MESSAGE_FIELDS) {
    const found = messageIn((body as Record<string, unknown>)[field], depth + 1);
    if (found) return found;
  }
  return undefined;
}

function saying(message: string | undefined, asked: Asked): string {
  return message === undefined || message.trim() === "" ? "" : `It says: ${quoted(message, asked)}`;
}

const QUOTED_CHARACTERS_MAX = 400;

function quoted(text: string, { secret }: Asked): string {
  const plain = redactSecrets(text.replace(/\s+/g, " ").trim(), [secret]);
  const cut = plain.slice(0, QUOTED_CHARACTERS_MAX).toWellFormed();
  return JSON.stringify(cut.replace(/[\p{Cc}\p{Cf}]/gu, "?"));
}
