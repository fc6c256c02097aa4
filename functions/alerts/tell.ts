import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import { publishToTopic } from "#lib/platform/aws/publish-to-topic.ts";
import { ParkedFault, RejectedInput, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { post } from "#lib/platform/outbound/post.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import { refusalOf, unreachable } from "#lib/work/webhooks/judge-receiver.ts";
import type { AlertSink } from "#schemas/config/alerts.ts";
import type { AlertsInput, AlertsOutput } from "#schemas/messages/alerts.ts";
import type { Notice } from "#schemas/records/alert.ts";
import { type HttpSink, noticeMessage, topicMessage } from "./notice-message.ts";
import type { NoticePorts } from "./ports.ts";

type Context = Pick<AgentContext, "envelope" | "signal" | "runtime" | "call" | "log">;

/**
 * Tells one sink of a notice.
 *
 * @throws TerminalFault `NOTICE_GIVEN_UP`, `ALERT_SINK_UNKNOWN`; ParkedFault `ALERT_SINK_BUSY`; RejectedInput `ADDRESS_FORBIDDEN`,
 * `WEBHOOK_URL_FORBIDDEN`; the faults of `refusalOf` for a response and of `unreachable` for none
 */
export async function tell(
  { sink: name, notice }: AlertsInput,
  context: Context,
  ports: NoticePorts,
): Promise<AgentResult<AlertsOutput>> {
  const { envelope, runtime } = context;
  if (runtime.now() >= Date.parse(envelope.deadline_at)) {
    throw new TerminalFault(
      "NOTICE_GIVEN_UP",
      `sink ${name} did not take the notice before ${envelope.deadline_at}`,
    );
  }
  const found = sinkOf(name, ports);
  await takeTurn(name, found.sink, ports);
  const status_code = await context.call(`alert-${name}`, async (signal) => {
    if ("topic_arn" in found) return publishNotice(notice, found.topic_arn, signal, ports);
    const { url, headers, body } = noticeMessage(notice, found, ports.alerts(), runtime.now());
    const { lookup, timeout_seconds, response_bytes_max } = ports;
    const options = {
      rules: ports.rules(),
      timeout_ms: timeout_seconds * 1000,
      response_bytes_max,
      signal,
      lookup,
    };
    const agent = { "user-agent": `distributed-agents/${ports.service_version}` };
    const answer = await post({ url, headers: { ...headers, ...agent }, body }, options).catch(
      (error: unknown) => {
        throw unreachable(error, signal, timeout_seconds);
      },
    );
    const refusal = refusalOf(answer, runtime.now());
    if (refusal) throw refusal;
    return answer.status;
  });
  context.log.info("NOTICE_SENT", `sink ${name} took a notice of alert ${notice.rule}: ${notice.kind}`, {
    sink: name,
  });
  return { verdict: "passed", output: { status_code } };
}

type FoundSink =
  | { sink: HttpSink; url: URL; secret: string | undefined }
  | { sink: Extract<AlertSink, { kind: "sns" }>; topic_arn: string };

/** What AWS says of a topic that will not take the notice later either, unless somebody mends it. */
const REFUSALS = ["AuthorizationErrorException", "InvalidParameterException", "NotFoundException"];

/**
 * Publishes to a topic of SNS. Returns the status that stands for it.
 *
 * @throws RetryableFault `ALERT_TOPIC_REFUSED`, `ALERT_TOPIC_UNAVAILABLE`; what the signal was aborted with
 */
async function publishNotice(
  notice: Notice,
  topic_arn: string,
  signal: AbortSignal,
  { sns, alerts, timeout_seconds }: NoticePorts,
): Promise<number> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout_seconds * 1000)]);
  try {
    await publishToTopic(topic_arn, topicMessage(notice, alerts()), { sns, signal: limit });
    return 200;
  } catch (error) {
    signal.throwIfAborted();
    const name = error instanceof Error ? error.name : String(error);
    if (REFUSALS.includes(name) || REFUSALS.includes(`${name}Exception`)) {
      throw new RetryableFault("ALERT_TOPIC_REFUSED", `the topic refused the notice (${name})`, {
        cause: error,
        dependency: "sns",
        dependency_answered: true,
      });
    }
    throw new RetryableFault("ALERT_TOPIC_UNAVAILABLE", `the topic did not take the notice (${name})`, {
      cause: error,
      dependency: "sns",
    });
  }
}

/** A sink and its checked URL. No message names the URL: it is a secret. */
function sinkOf(name: string, ports: NoticePorts): FoundSink {
  const { sinks } = ports.alerts();
  const sink = Object.hasOwn(sinks, name) ? sinks[name] : undefined;
  const address = Object.hasOwn(ports.addresses, name) ? ports.addresses[name] : undefined;
  if (!sink || !address) {
    const missing = sink
      ? `ALERT_SINKS has no URL for sink ${name}`
      : `configs/alerts.json has no sink ${name}`;
    throw new TerminalFault("ALERT_SINK_UNKNOWN", `${missing}: add it, then replay the message`);
  }
  const { url, secret, topic_arn } = address;
  if (sink.kind === "sns" && topic_arn !== undefined) return { sink, topic_arn };
  if (sink.kind === "sns" || url === undefined) {
    const wanted = sink.kind === "sns" ? "topic_arn" : "url";
    throw new TerminalFault(
      "ALERT_SINK_UNKNOWN",
      `ALERT_SINKS has no ${wanted} for sink ${name}, of kind ${sink.kind}`,
    );
  }
  if (sink.kind === "webhook" && !secret) {
    throw new TerminalFault(
      "ALERT_SINK_UNKNOWN",
      `ALERT_SINKS has no secret for sink ${name}, which is a signed webhook`,
    );
  }
  const read = readUrl(url, ports.rules());
  if (!("url" in read)) {
    throw new RejectedInput(
      "WEBHOOK_URL_FORBIDDEN",
      `the URL of sink ${name} is not allowed: ${read.problem}`,
    );
  }
  return { sink, url: read.url, secret };
}

/** Waits its turn, without losing an attempt, when the sink has had as many messages as it takes. */
async function takeTurn(
  name: string,
  { messages_per_second }: AlertSink,
  { limiter }: NoticePorts,
): Promise<void> {
  const rule = {
    requests_per_second: messages_per_second,
    burst_requests: Math.max(1, Math.floor(messages_per_second)),
    requests_per_day_max: null,
    shards: 1,
  };
  const decision = await limiter.take({ tenant: PLATFORM_TENANT, route: `alert-sink ${name}` }, rule);
  if (decision.kind !== "refused") return; // unknown: an alert is not held back because the table does not answer
  throw new ParkedFault("ALERT_SINK_BUSY", `sink ${name} takes ${messages_per_second} messages a second`, {
    retry_after_ms: decision.retry_after_seconds * 1000,
  });
}
