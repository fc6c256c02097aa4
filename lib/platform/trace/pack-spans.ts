import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import { SpanRecord } from "#schemas/records/span.ts";

/*
 * Spans as they travel in an item of the ledger: JSON, compressed against a dictionary of what spans are made of, as
 * text. A pack of three spans has some 400 bytes.
 */

/** Spans of one invocation and one trace. */
const Pack = z.strictObject({
  invocation: z.string(),
  service: z.string(),
  trace_id: z.string(),
  spans: z.array(SpanRecord.omit({ service: true, trace_id: true })),
});

/** What a pack unpacks to: a span with the invocation that recorded it. */
export interface PackedSpan extends SpanRecord {
  invocation: string;
}

/** The form of packs that are written now. A pack of an unknown form is passed over by its reader. */
const FORM = "1";
const UNPACKED_BYTES_MAX = 1_000_000;

/** Part of form 1, so it never changes: a pack that was written with another one cannot be read. Frequent parts last. */
const DICTIONARY = Buffer.from(
  [
    '"error_code":"","message":"","error.type":"","agents.retry.delay_ms":,"agents.claim":"claimed","links":[{',
    '"user_agent.original":"node","url.path":"/api/tasks","http.route":"/api/tasks","http.request.method":"POST",',
    '"http.response.status_code":202,"faas.trigger":"http","faas.coldstart":true,"agents.workflow":"change"',
    '"name":"POST /api/tasks","kind":"server""name":"store submission""name":"accept task"',
    '"agents.decision":"finish","agents.task.status":"succeeded""agents.races":0,"agents.decision":"dispatch"',
    '"agents.nudge.reason":"accepted""agents.nudge.reason":"step_ended""name":"seal""name":"advance"',
    '"name":"claim "name":"run "name":"complete codegen buildtest indexing sandbox index_result',
    '"agents.outcome":"completed","agents.verdict":"passed","agents.attempt":1',
    '"agents.aws.s3.calls":,"agents.aws.s3.ms":,"agents.aws.sqs.calls":1,"agents.aws.sqs.ms":',
    '"agents.aws.dynamodb.calls":1,"agents.aws.dynamodb.ms":',
    '"name":"send orchestrator","kind":"producer","attributes":{"messaging.system":"aws_sqs",',
    '"messaging.operation.name":"send","messaging.operation.type":"send",',
    '"name":"process orchestrator","kind":"consumer","attributes":{"messaging.system":"aws_sqs",',
    '"messaging.operation.name":"process","messaging.operation.type":"process",',
    '"messaging.destination.name":"distributed-agents-","messaging.destination.template":"orchestrator",',
    '"messaging.message.conversation_id":"","agents.step":"advance","agents.round":0,"agents.dispatch":0,',
    '"faas.trigger":"pubsub","faas.name":"distributed-agents-","faas.invocation_id":"',
    '"messaging.message.id":"","agents.delivery":1,"agents.queue.wait_ms":',
    '{"span_id":"","parent_span_id":"","grandparent_span_id":"","name":"","kind":"internal",',
    '"start_ms":17,"end_ms":17,"status":{"code":"unset"},"attributes":{}},"open":true},',
  ].join(""),
);

export function packSpans(invocation: string, spans: readonly SpanRecord[]): string {
  const [{ service = "", trace_id = "" } = {}] = spans;
  const lean = spans.map(({ service: _s, trace_id: _t, ...span }) => span);
  const json = JSON.stringify({ invocation, service, trace_id, spans: lean });
  return `${FORM}:${deflateRawSync(json, { dictionary: DICTIONARY, level: 9 }).toString("base64url")}`;
}

/** The spans of a pack; none when it is damaged or of a form that is not known here. */
export function unpackSpans(packed: string): PackedSpan[] {
  const [form, data = ""] = packed.split(":");
  if (form !== FORM) return [];
  try {
    const options = { dictionary: DICTIONARY, maxOutputLength: UNPACKED_BYTES_MAX };
    const json = inflateRawSync(Buffer.from(data, "base64url"), options).toString();
    const { invocation, service, trace_id, spans } = Pack.parse(JSON.parse(json));
    return spans.map((span) => ({ ...span, service, trace_id, invocation }));
  } catch {
    return [];
  }
}
