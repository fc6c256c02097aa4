import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { LocalstackEndpoints } from "./localstack-endpoints.ts";

const REGION = "us-east-1";
const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };
const ANSWER_MS_MAX = 5_000;
const START =
  "start it (npm run stack:host, or npm run stack:up with Docker) and wait until it says it is ready";

/**
 * Asks each service one harmless question, within five seconds.
 *
 * @throws one line for each that does not answer as it should, with what to do
 */
export async function checkEndpoints(endpoints: LocalstackEndpoints): Promise<void> {
  const complaints = await Promise.all([
    complaint("SQS", "AWS_ENDPOINT_URL_SQS", endpoints.sqs, (options, call) =>
      new SQSClient(options).send(new ListQueuesCommand({ MaxResults: 1 }), call),
    ),
    complaint("S3", "AWS_ENDPOINT_URL_S3", endpoints.s3, (options, call) =>
      new S3Client({ ...options, forcePathStyle: true }).send(new ListBucketsCommand({}), call),
    ),
    complaint("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb, (options, call) =>
      new DynamoDBClient(options).send(new ListTablesCommand({ Limit: 1 }), call),
    ),
  ]);
  const lines = complaints.filter((line) => line !== undefined);
  if (lines.length > 0) throw new Error(lines.join("\n"));
}

interface ClientOptions {
  endpoint: string;
  region: string;
  credentials: typeof CREDENTIALS;
  maxAttempts: number;
}

async function complaint(
  service: string,
  variable: string,
  endpoint: string,
  ask: (options: ClientOptions, call: { abortSignal: AbortSignal }) => Promise<{ $metadata: object }>,
): Promise<string | undefined> {
  const options = { endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 };
  const abortSignal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    await ask(options, { abortSignal });
    return undefined;
  } catch (error) {
    const place = `${service} at ${endpoint}`;
    if (abortSignal.aborted) {
      return `${place} takes connections and does not answer within ${ANSWER_MS_MAX / 1000} s: it is still starting, or hangs; ${START}.`;
    }
    const { name, message, code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") return `${place} is not there: ${START}, or name another in ${variable}.`;
    if (code !== undefined)
      return `${place} cannot be reached (${code}): ${START}, or name another in ${variable}.`;
    return `${place} answers, and not as ${service} does (${name}: ${firstLine(message)}): name the right address in ${variable}.`;
  }
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 160);
}
