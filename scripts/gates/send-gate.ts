import { setTimeout as delay } from "node:timers/promises";
import { SNSClient } from "@aws-sdk/client-sns";
import { publishToTopic } from "#lib/platform/aws/publish-to-topic.ts";
import { post } from "#lib/platform/outbound/post.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import { outboundRules } from "#lib/platform/outbound/resolve-host.ts";
import type { AlertAddress } from "#lib/platform/settings/environment.ts";
import { retryAfterMs } from "#lib/resilience/retry/retry-after.ts";
import type { AlertSink } from "#schemas/config/alerts.ts";
import type { OutboundConfig } from "#schemas/config/outbound.ts";
import { type GateOutcome, gateMessage } from "./gate-message.ts";

const ATTEMPTS_MAX = 4;
const TIMEOUT_MS = 10_000;
const BACKOFF_MS = 500;
/** Nobody waits longer for a receiver at the end of a build. */
const WAIT_MS_MAX = 30_000;

interface Target {
  name: string;
  sink: AlertSink;
  address: AlertAddress | undefined;
}

/**
 * Sends a gate's result to one sink, again where it answers 429, 5xx or nothing. Undefined when it was taken, else why it was not; the
 * URL, which is a secret, is in no sentence.
 */
export async function sendGate(
  outcome: GateOutcome,
  { name, sink, address }: Target,
  { outbound, now, id }: { outbound: OutboundConfig; now: () => number; id: string },
): Promise<string | undefined> {
  if (!address) return `ALERT_SINKS has no URL for sink ${name}`;
  if (sink.kind === "sns") return publishGate(outcome, name, address.topic_arn);
  if (address.url === undefined) return `ALERT_SINKS has no URL for sink ${name}`;
  if (sink.kind === "webhook" && !address.secret) return `ALERT_SINKS has no secret for sink ${name}`;
  // Plain http leads to this machine only, as on the local stage.
  const rules = outboundRules(outbound, address.url.startsWith("http:") ? "local" : "deployed");
  const read = readUrl(address.url, rules);
  if (!("url" in read)) return `the URL of sink ${name} is not allowed: ${read.problem}`;
  let refusal = "";
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const { headers, body } = gateMessage(outcome, sink, { secret: address.secret, now_ms: now(), id });
    const limits = { rules, timeout_ms: TIMEOUT_MS, response_bytes_max: 10_000 };
    const answer = await post(
      { url: read.url, headers, body },
      { ...limits, signal: new AbortController().signal },
    ).catch((error: Error) => error);
    if (answer instanceof Error) refusal = `sink ${name} cannot be reached (${codeOf(answer)})`;
    else if (answer.status >= 200 && answer.status < 300) return undefined;
    else refusal = `sink ${name} answered ${answer.status}`;
    const final = !(answer instanceof Error) && answer.status !== 429 && answer.status < 500;
    if (final || attempt === ATTEMPTS_MAX) break;
    const asked_ms =
      answer instanceof Error ? undefined : retryAfterMs(answer.headers.get("retry-after"), now());
    await delay(Math.min(asked_ms ?? BACKOFF_MS * 2 ** attempt, WAIT_MS_MAX));
  }
  return refusal;
}

/** The SDK tries again by itself. */
async function publishGate(
  { name: gate, passed, link }: GateOutcome,
  name: string,
  topic_arn: string | undefined,
): Promise<string | undefined> {
  if (topic_arn === undefined) return `ALERT_SINKS has no topic_arn for sink ${name}`;
  const kind = passed ? "passed" : "failed";
  const subject = `${gate} ${kind}`;
  const message = {
    subject,
    text: link === undefined ? subject : `${subject}\n${link}`,
    attributes: { gate, kind },
  };
  const sns = new SNSClient({ maxAttempts: ATTEMPTS_MAX });
  try {
    await publishToTopic(topic_arn, message, { sns, signal: AbortSignal.timeout(WAIT_MS_MAX) });
    return undefined;
  } catch (error) {
    return `the topic of sink ${name} did not take it (${codeOf(error as Error)})`;
  } finally {
    sns.destroy();
  }
}

/** A short word for what failed: a socket's message may name the address. */
function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.name;
}
