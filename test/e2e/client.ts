import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { issueApiKey, type KeyWish } from "#lib/http/auth/api-key.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { Problem, TaskView } from "#schemas/http/task-view.ts";
import { Scope } from "#schemas/records/api-key.ts";
import { checkConformance } from "./conformance.ts";

/** What the stack tells tools about itself. */
export function environmentOf(data_dir: string): Record<string, string> {
  return JSON.parse(readFileSync(join(data_dir, "environment.json"), "utf8"));
}

const credentials = { accessKeyId: "local", secretAccessKey: "local" };

/** The stack's queues, as an operator reaches them. */
export function queues(data_dir: string) {
  const facts = environmentOf(data_dir);
  const sqs = new SQSClient({ endpoint: facts.AWS_ENDPOINT_URL_SQS, region: facts.AWS_REGION, credentials });
  return {
    sqs,
    queueUrl: (service: string) => facts[`QUEUE_URL_${service.toUpperCase()}`] ?? "",
    deadLetterQueueUrl: (service: string) => facts[`DLQ_URL_${service.toUpperCase()}`] ?? "",
  };
}

/** The stack's table. */
export function table(data_dir: string) {
  const facts = environmentOf(data_dir);
  const client = new DynamoDBClient({
    endpoint: facts.AWS_ENDPOINT_URL_DYNAMODB,
    region: facts.AWS_REGION,
    credentials,
  });
  const options = { marshallOptions: { removeUndefinedValues: true } };
  return { table: DynamoDBDocumentClient.from(client, options), table_name: facts.TABLE_NAME ?? "" };
}

interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface ApiClient {
  key: string;
  request<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  submit(body: unknown, headers?: Record<string, string>): Promise<TaskView>;
  refused(body: unknown): Promise<Problem & { status: number }>;
  /** Waits until the task has ended, through restarts of the stack. */
  ended(task_id: string): Promise<TaskView>;
  artifact(task_id: string, path: string): Promise<Buffer>;
}

/** The tests' own work runs anywhere: under the profile that does without namespaces, unless one is named. */
function trusted(body: unknown): unknown {
  return typeof body === "object" ? { profile: "trusted", ...body } : body;
}

const PATIENCE_MS = 180_000;

/** The HTTP API as a program uses it. Every answer is held against the API's description. */
function apiClient(url: string, key: string): ApiClient {
  const authorization = `Bearer ${key}`;
  const request: ApiClient["request"] = async (method, path, body, headers = {}) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const answer = {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as never,
    };
    await checkConformance({ method, path, ...answer });
    return answer;
  };
  const must = async <Body>(wanted: number, answer: Promise<Answer<Body>>): Promise<Body> => {
    const { status, body } = await answer;
    if (status !== wanted)
      throw new Error(`answered ${status} instead of ${wanted}: ${JSON.stringify(body)}`);
    return body;
  };
  return {
    key,
    request,
    submit: (body, headers) => must(202, request<TaskView>("POST", "/api/tasks", trusted(body), headers)),
    async refused(body) {
      const answer = await request<Problem>("POST", "/api/tasks", body);
      if (answer.status < 400) throw new Error(`it was accepted: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async ended(task_id) {
      const until = Date.now() + PATIENCE_MS;
      let last: unknown;
      while (Date.now() < until) {
        try {
          const { body } = await request<TaskView>("GET", `/api/tasks/${task_id}?wait=10`);
          if (body.ended_at) return body;
          last = body;
        } catch (error) {
          last = error;
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      }
      throw new Error(`task ${task_id} did not end: ${JSON.stringify(last)}`);
    },
    async artifact(task_id, path) {
      const response = await fetch(new URL(`/artifacts/${task_id}/${path}`, url), {
        headers: { authorization },
      });
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
      return Buffer.from(await response.arrayBuffer());
    },
  };
}

/** A client of the tenant the stack made a key for. */
export function developmentClient(url: string, data_dir: string): ApiClient {
  const { key } = JSON.parse(readFileSync(join(data_dir, "credentials.json"), "utf8"));
  return apiClient(url, key);
}

/** A client of another tenant, with every scope unless told otherwise. */
export async function tenantClient(
  url: string,
  data_dir: string,
  tenant: string,
  wish: Partial<KeyWish> = {},
): Promise<ApiClient> {
  const ports = {
    ...table(data_dir),
    runtime: systemRuntime,
    pepper: environmentOf(data_dir).API_KEY_PEPPER ?? "",
  };
  const issued = await issueApiKey(
    { tenant, name: "test", scopes: Scope.options, created_by: "local", ...wish },
    ports,
  );
  return apiClient(url, issued.key);
}
