import { RetryableFault } from "#lib/platform/errors/fault.ts";

export const MODEL_DEPENDENCY = "model";
const dependency = MODEL_DEPENDENCY;
/** Bytes of an answer that are read; models write far less in the time they have. */
const ANSWER_BYTES_MAX = 32_000_000;

/** One HTTP exchange with a model's endpoint, as far as it came. */
export interface Exchange {
  url: string;
  request: string;
  status?: number;
  headers?: Headers;
  /** The body as it was received, complete or not. */
  answer: string;
  /** Why the exchange broke off. */
  broken?: RetryableFault;
}

export interface ExchangeLimits {
  stream: boolean;
  answer_seconds_max: number;
  stall_seconds_max: number;
}

/**
 * A `fetch` for one question. It keeps what was sent and received in `exchange`, and breaks off an exchange in which
 * no byte arrives for `stall_seconds_max`, or that takes longer than `answer_seconds_max`. An answer that is not
 * streamed may take that long to begin. `endpoint` replaces the URL. Redirects are not followed: they would carry
 * the key to another host.
 */
export function watchedFetch(
  exchange: Exchange,
  limits: ExchangeLimits,
  endpoint: string | undefined,
  signal: AbortSignal,
): typeof globalThis.fetch {
  return async (input, init = {}) => {
    exchange.url = endpoint ?? String(input instanceof Request ? input.url : input);
    exchange.request = typeof init.body === "string" ? init.body : "";
    const watch = watchOf(exchange, limits, signal);
    try {
      const response = await fetch(exchange.url, { ...init, redirect: "manual", signal: watch.signal });
      exchange.status = response.status;
      exchange.headers = response.headers;
      watch.alive();
      if (!response.body) {
        watch.stop();
        return response;
      }
      return new Response(response.body.pipeThrough(recorder(exchange, watch)), response);
    } catch (cause) {
      watch.stop();
      signal.throwIfAborted();
      exchange.broken ??= unreachable(cause);
      throw exchange.broken;
    }
  };
}

interface Watch {
  signal: AbortSignal;
  /** A byte arrived. */
  alive(): void;
  stop(): void;
}

function watchOf(exchange: Exchange, limits: ExchangeLimits, signal: AbortSignal): Watch {
  const broken = new AbortController();
  const breakOff = (fault: RetryableFault) => {
    exchange.broken ??= fault;
    broken.abort(exchange.broken);
  };
  const late = setTimeout(() => breakOff(answerLate(limits)), limits.answer_seconds_max * 1000);
  const stalled = () => breakOff(answerStalled(limits, exchange));
  let stall: NodeJS.Timeout | undefined;
  const alive = () => {
    clearTimeout(stall);
    stall = setTimeout(stalled, limits.stall_seconds_max * 1000);
  };
  if (limits.stream) alive();
  return {
    signal: AbortSignal.any([signal, broken.signal]),
    alive,
    stop() {
      clearTimeout(late);
      clearTimeout(stall);
    },
  };
}

/** Hands the body on, and keeps it. A body that breaks off ends with the reason. */
function recorder(exchange: Exchange, watch: Watch): ReadableWritablePair<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let output: ReadableStreamDefaultController<Uint8Array>;
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      output = controller;
    },
    cancel: () => watch.stop(),
  });
  const writable = new WritableStream<Uint8Array>({
    write(chunk) {
      watch.alive();
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX) throw answerTooLong();
      exchange.answer += decoder.decode(chunk, { stream: true });
      output.enqueue(chunk);
    },
    close() {
      watch.stop();
      output.close();
    },
    abort(reason) {
      watch.stop();
      exchange.broken ??= answerCut(exchange, reason);
      output.error(exchange.broken);
    },
  });
  return { readable, writable };
}

function answerLate({ answer_seconds_max }: ExchangeLimits): RetryableFault {
  return new RetryableFault(
    "MODEL_ANSWER_LATE",
    `The model's answer took longer than ${answer_seconds_max} s (answer_seconds_max). It is asked again.`,
    { dependency },
  );
}

function answerStalled({ stall_seconds_max }: ExchangeLimits, { answer }: Exchange): RetryableFault {
  return new RetryableFault(
    "MODEL_ANSWER_STALLED",
    `The model's endpoint sent nothing for ${stall_seconds_max} s (stall_seconds_max), after ${answer.length} characters. It is asked again.`,
    { dependency },
  );
}

/** The connection ended before the answer did. */
export function answerCut({ answer }: Pick<Exchange, "answer">, cause?: unknown): RetryableFault {
  return new RetryableFault(
    "MODEL_ANSWER_CUT",
    `The connection to the model's endpoint ended in the middle of the answer, after ${answer.length} characters. It is asked again.`,
    { cause, dependency },
  );
}

function answerTooLong(): RetryableFault {
  return new RetryableFault(
    "MODEL_ANSWER_CUT",
    `The model's answer has more than ${ANSWER_BYTES_MAX} bytes and was not read further. It is asked again.`,
    { dependency },
  );
}

function unreachable(cause: unknown): RetryableFault {
  return new RetryableFault("MODEL_UNAVAILABLE", "The model's endpoint did not answer. It is asked again.", {
    cause,
    dependency,
  });
}
