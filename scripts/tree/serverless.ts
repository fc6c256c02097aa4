import { parseDocument } from "yaml";
import { z } from "zod";
import { describeIssues } from "#schemas/issue-sentence.ts";
import { expandAgents, type ServiceDeclaration } from "../serverless/expand-agents.ts";

const Sqs = z.looseObject({ arn: z.unknown(), functionResponseType: z.string().optional() });
const Environment = z.record(z.string(), z.unknown());

const ServerlessFunction = z.looseObject({
  handler: z.string(),
  timeout: z.unknown().optional(),
  environment: Environment.optional(),
  container: z.string().optional(),
  events: z.array(z.looseObject({ sqs: z.unknown().optional() })).default([]),
});

const Resource = z.looseObject({ Type: z.string(), Properties: z.looseObject({}).default({}) });
export type Resource = z.output<typeof Resource>;

/** The parts of serverless.yml the checks look at, its `agent:` blocks expanded. `${…}` variables stay as text. */
const ServerlessFile = z.looseObject({
  provider: z.looseObject({
    timeout: z.unknown().optional(),
    environment: Environment.optional(),
  }),
  functions: z.record(z.string(), ServerlessFunction),
  resources: z.looseObject({ Resources: z.record(z.string(), Resource).default({}) }).optional(),
});
export type ServerlessFile = z.output<typeof ServerlessFile>;
export type ServerlessFunction = z.output<typeof ServerlessFunction>;

export const SERVERLESS_FILE = "serverless.yml";

/** Throws when the text is no YAML, uses a short CloudFormation tag such as `!Ref`, or lacks a part. */
export function parseServerless(text: string): ServerlessFile {
  const document = parseDocument(text);
  const [complaint] = [...document.errors, ...document.warnings];
  if (complaint) throw new Error(`${SERVERLESS_FILE}: ${complaint.message}`);
  const written = document.toJS();
  if (written?.functions && written.provider) expandAgents(written as ServiceDeclaration);
  const parsed = ServerlessFile.safeParse(written);
  if (parsed.success) return parsed.data;
  throw new Error(`${SERVERLESS_FILE}: ${describeIssues(parsed.error)}`);
}

/** `functions/codegen/handler.handle` → `functions/codegen/handler.ts`. */
export function handlerModule({ handler }: ServerlessFunction): string {
  return handler.replace(/^\.\//, "").replace(/\.[^./]+$/, ".ts");
}

/** `codegen` for `functions/codegen/handler.ts`; undefined for a handler outside functions/. */
export function serviceOf(handlerFile: string): string | undefined {
  return /^functions\/([^/]+)\//.exec(handlerFile)?.[1];
}

/** A queue one function is fed from: the event as written and the queue's logical id, if it is named by GetAtt. */
export interface QueueEvent {
  queue: string | undefined;
  response: string | undefined;
}

export function queueEvents(one: ServerlessFunction): QueueEvent[] {
  return one.events.flatMap(({ sqs }) => {
    if (sqs === undefined) return [];
    const event = Sqs.safeParse(sqs);
    return [{ queue: logicalId(event.data?.arn ?? sqs), response: event.data?.functionResponseType }];
  });
}

/** Route keys (`GET /api/tasks`) of a function's HTTP API events; the catch-all is none. */
export function httpRoutes(one: ServerlessFunction): string[] {
  return one.events.flatMap(({ httpApi }) => {
    if (typeof httpApi === "string") return httpApi === "*" ? [] : [httpApi];
    const event = z.looseObject({ method: z.string(), path: z.string() }).safeParse(httpApi);
    return event.success ? [`${event.data.method.toUpperCase()} ${event.data.path}`] : [];
  });
}

/** The logical id in `{Ref: X}`, `{Fn::GetAtt: [X, Arn]}` or `{Fn::GetAtt: X.Arn}`. */
export function logicalId(value: unknown): string | undefined {
  const reference = z
    .union([
      z.strictObject({ Ref: z.string() }).transform(({ Ref }) => Ref),
      z
        .strictObject({ "Fn::GetAtt": z.union([z.array(z.string()), z.string()]) })
        .transform((get) => [get["Fn::GetAtt"]].flat()[0]?.split(".")[0]),
    ])
    .safeParse(value);
  return reference.data;
}
