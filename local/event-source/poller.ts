import { setTimeout as delay } from "node:timers/promises";
import type { Message } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import type { Log } from "#lib/platform/log/log.ts";
import { batchResult } from "./batch-result.ts";
import { sqsEvent } from "./sqs-event.ts";
import type { MessageSource } from "./sqs-source.ts";

/** One `events: - sqs:` block of serverless.yml. */
export interface EventSourceMapping {
  function_key: string;
  queue_arn: string;
  /** 1 to 10000; above 10 only with a window. */
  batch_size: number;
  batch_window_seconds: number;
  /** Parallel invocations. */
  concurrency: number;
  /** Whether the answer's batchItemFailures counts (functionResponseType). */
  reports_failures: boolean;
}

export interface PollerPorts {
  source: MessageSource;
  /** @throws what the function threw, or its timeout. */
  invoke(event: SQSEvent): Promise<unknown>;
  log: Log;
}

export interface Poller {
  /** Receives nothing more, and waits up to `stop_ms` for running invocations. True when all ended. */
  stop(stop_ms: number): Promise<boolean>;
}

const WAIT_SECONDS = 20;
const BACKOFF_MS_MIN = 200;
const BACKOFF_MS_MAX = 5_000;
const DELETE_TRIES = 3;

/**
 * Feeds a queue to a function as Lambda's event source mapping does. Failed messages are left to the
 * queue: they come back when their visibility ends and go to the dead-letter queue by its redrive policy.
 */
export function startPoller(mapping: EventSourceMapping, ports: PollerPorts): Poller {
  const stopping = new AbortController();
  const log = ports.log.with({ function: mapping.function_key, queue: mapping.queue_arn });
  const ended = poll(mapping, { ...ports, log }, stopping.signal).then(() => true);
  return {
    async stop(stop_ms) {
      stopping.abort();
      const given_up = new AbortController();
      const late = delay(stop_ms, false, { signal: given_up.signal }).catch(() => false);
      const all_ended = await Promise.race([ended, late]);
      given_up.abort();
      return all_ended;
    },
  };
}

/**
 * Receives while an invocation may start, so an idle queue has one request waiting, however many may run. One answer
 * may start several invocations, but of a FIFO queue only one: its groups stay in order because SQS keeps back what
 * follows a message in flight.
 */
async function poll(mapping: EventSourceMapping, ports: PollerPorts, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  const start = (batch: Message[], onError: (error: unknown) => Promise<void>) => {
    const invocation = deliver(mapping, ports, batch)
      .catch(onError)
      .finally(() => running.delete(invocation));
    running.add(invocation);
  };
  let backoff_ms = BACKOFF_MS_MIN;
  const onError = async (error: unknown) => {
    if (signal.aborted) return;
    ports.log.warn("QUEUE_UNREACHABLE", "The queue did not answer; trying again.", {
      error: String(error),
      backoff_ms,
    });
    await delay(backoff_ms, undefined, { signal }).catch(() => {});
    backoff_ms = Math.min(backoff_ms * 2, BACKOFF_MS_MAX);
  };
  while (!signal.aborted) {
    const free = mapping.concurrency - running.size;
    if (free === 0) {
      await Promise.race(running);
      continue;
    }
    try {
      const messages = await receive(mapping, free, ports.source, signal);
      backoff_ms = BACKOFF_MS_MIN;
      for (let first = 0; first < messages.length; first += mapping.batch_size) {
        start(messages.slice(first, first + mapping.batch_size), onError);
      }
    } catch (error) {
      await onError(error);
    }
  }
  await Promise.all(running);
}

/** Messages for up to `free` invocations: what one request brings, or one batch, gathered until its window closes. */
async function receive(
  mapping: EventSourceMapping,
  free: number,
  source: MessageSource,
  signal: AbortSignal,
): Promise<Message[]> {
  const { batch_size, batch_window_seconds, queue_arn } = mapping;
  const one_batch = batch_window_seconds > 0 || queue_arn.endsWith(".fifo");
  const messages = await source.receive(batch_size * (one_batch ? 1 : free), WAIT_SECONDS, signal);
  const closes_at = performance.now() + batch_window_seconds * 1000;
  while (messages.length > 0 && messages.length < batch_size && !signal.aborted) {
    const left_seconds = Math.floor((closes_at - performance.now()) / 1000);
    if (left_seconds < 1) break;
    const wait_seconds = Math.min(left_seconds, WAIT_SECONDS);
    messages.push(...(await source.receive(batch_size - messages.length, wait_seconds, signal)));
  }
  return messages;
}

async function deliver(
  mapping: EventSourceMapping,
  { source, invoke, log }: PollerPorts,
  messages: Message[],
): Promise<void> {
  const ids = messages.map(({ MessageId = "" }) => MessageId);
  let answer: unknown;
  try {
    answer = await invoke(sqsEvent(messages, mapping.queue_arn));
  } catch (error) {
    log.error("FUNCTION_THREW", "The function threw; the whole batch stays in the queue.", {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      message_ids: ids,
    });
    return;
  }
  const verdict = batchResult(mapping.reports_failures ? answer : undefined, ids);
  if (verdict.reason) {
    log.error("ANSWER_UNUSABLE", "The function's answer is unusable; the whole batch stays in the queue.", {
      reason: verdict.reason,
      message_ids: ids,
    });
  }
  const delivered = messages.filter(({ MessageId = "" }) => verdict.delivered.includes(MessageId));
  if (delivered.length > 0) await deleteDelivered(source, delivered);
}

async function deleteDelivered(source: MessageSource, messages: Message[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await source.delete(messages);
    } catch (error) {
      if (tries === DELETE_TRIES) throw error;
      await delay(BACKOFF_MS_MIN * tries);
    }
  }
}
