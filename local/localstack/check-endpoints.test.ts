import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { anyFreePort } from "../ports.ts";
import { checkEndpoints } from "./check-endpoints.ts";

const closing: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of closing.splice(0)) server.close();
});

async function listening(server: ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (answer: RequestListener) => listening(createHttpServer(answer));

const complaintOf = async (url: string) => {
  const endpoints = { aws: url, sqs: url, s3: url, dynamodb: url };
  return await checkEndpoints(endpoints).then(
    () => "",
    (error: Error) => error.message,
  );
};

/** One line for each of the three services, and no more. */
function expectLines(complaint: string, line: RegExp): void {
  const lines = complaint.split("\n");
  expect(lines).toHaveLength(3);
  for (const each of lines) expect(each).toMatch(line);
}

describe("checkEndpoints", () => {
  it("is content with services that answer as they should", async () => {
    const url = await answering((request, response) => {
      const is_json = request.headers["content-type"]?.startsWith("application/x-amz-json");
      response.setHeader("content-type", is_json ? "application/x-amz-json-1.0" : "application/xml");
      response.end(is_json ? "{}" : "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>");
    });
    expect(await complaintOf(url)).toBe("");
  });

  it("says of a service that is not there how to start it, and which variable names it", async () => {
    const complaint = await complaintOf(`http://127.0.0.1:${await anyFreePort()}`);
    expectLines(
      complaint,
      /is not there: start it \(npm run stack:host.*AWS_ENDPOINT_URL_(SQS|S3|DYNAMODB)\.$/,
    );
  });

  it("says of one that hangs, or has only half started, that it does not answer", async () => {
    const url = await listening(createTcpServer(() => {}));
    expectLines(
      await complaintOf(url),
      /takes connections and does not answer within 5 s: it is still starting/,
    );
  });

  it("says of something else that it is not the service", async () => {
    const url = await answering((_request, response) => {
      response.statusCode = 404;
      response.end("<html>Not here</html>");
    });
    expectLines(await complaintOf(url), /answers, and not as (SQS|S3|DynamoDB) does/);
  });

  it("says of one that is still loading that its answer is no good", async () => {
    const url = await answering((_request, response) => {
      response.statusCode = 503;
      response.setHeader("content-type", "application/json");
      response.end('{"__type":"ServiceUnavailable","message":"starting"}');
    });
    expectLines(await complaintOf(url), /answers, and not as (SQS|S3|DynamoDB) does/);
  });

  it("says of a host that is not known that it cannot be reached", async () => {
    expectLines(
      await complaintOf("http://no-such-host.invalid:4566"),
      /cannot be reached \(ENOTFOUND|EAI_AGAIN\)/,
    );
  });
});
