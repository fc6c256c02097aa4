import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsCall, meterClient, withCallMeter } from "#lib/platform/aws/call-meter.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";
import { startSpan } from "#lib/platform/trace/span.ts";
import type { SpanRecord } from "#schemas/records/span.ts";

let status = 200;
const server = createServer((_request, response) => {
  const headers = { "content-type": "application/x-amz-json-1.0" };
  response.writeHead(status, headers).end('{"MessageId":"1","__type":"SomeError","message":"no"}');
});
let sqs: SQSClient;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "x", secretAccessKey: "x" };
  const client = new SQSClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1, md5: false });
  sqs = meterClient(client, "sqs");
});
afterAll(() => {
  sqs.destroy();
  server.close();
});
const send = () => sqs.send(new SendMessageCommand({ QueueUrl: "http://queue/x", MessageBody: "x" }));

describe("the AWS calls of a piece of work", () => {
  it("are told to its own meter, also when others use the same client at once", async () => {
    const [one, two]: AwsCall[][] = [[], []];
    await Promise.all([
      withCallMeter(
        (call) => one!.push(call),
        async () => {
          await send();
          await send();
        },
      ),
      withCallMeter((call) => two!.push(call), send),
      send(),
    ]);
    expect([one?.length, two?.length]).toEqual([2, 1]);
    expect(one?.[0]).toMatchObject({ service: "sqs", operation: "SendMessage" });
  });

  it("are told when they fail, and fail all the same", async () => {
    status = 503;
    const calls: AwsCall[] = [];
    await expect(withCallMeter((call) => calls.push(call), send)).rejects.toThrow();
    status = 200;
    expect(calls[0]?.error?.status).toBe(503);
  });
});

describe("the AWS calls of a span", () => {
  const call = (fields: Partial<AwsCall>): AwsCall => ({
    service: "dynamodb",
    operation: "PutItem",
    start_ms: 1000,
    duration_ms: 10,
    ...fields,
  });

  function record(calls: AwsCall[]) {
    const spans: Omit<SpanRecord, "service">[] = [];
    const recorder = { add: (span: (typeof spans)[number]) => spans.push(span), belongsTo: () => undefined };
    const span = startSpan(undefined, { name: "hop", recorder: recorder as never }, systemRuntime);
    const meter = awsCallMeter(span, systemRuntime);
    for (const one of calls) meter(one);
    span.end();
    return { hop: spans.at(-1), calls: spans.slice(0, -1) };
  }

  it("are counted by service", () => {
    const { hop, calls } = record([call({}), call({ duration_ms: 20 }), call({ service: "s3" })]);
    expect(hop?.attributes).toEqual({
      "agents.aws.dynamodb.calls": 2,
      "agents.aws.dynamodb.ms": 30,
      "agents.aws.s3.calls": 1,
      "agents.aws.s3.ms": 10,
    });
    expect(calls).toEqual([]);
  });

  it("have a span of their own when slow or failed by the service, not when answered on purpose", () => {
    const refused = { name: "ConditionalCheckFailedException", message: "m", status: 400 };
    const throttled = { name: "ThrottlingException", message: "m", status: 429 };
    const cut = { name: "TimeoutError", message: "m", status: undefined };
    const { hop, calls } = record([
      call({ error: refused }),
      call({ duration_ms: 300 }),
      call({ error: throttled }),
      call({ error: cut }),
    ]);
    expect(calls.map(({ status }) => status.error_code)).toEqual([
      undefined,
      "ThrottlingException",
      "TimeoutError",
    ]);
    expect(calls[0]).toMatchObject({
      name: "DynamoDB.PutItem",
      kind: "client",
      parent_span_id: hop?.span_id,
      end_ms: 1300,
    });
  });
});
