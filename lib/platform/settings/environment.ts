import { z } from "zod";
import { MODEL_KEY_NAME } from "#schemas/config/codegen.ts";
import { describeIssues } from "#schemas/issue-sentence.ts";

const S3_PREFIX = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/((?:[A-Za-z0-9._-]+\/)*)$/;

const AlertAddress = z
  .strictObject({
    url: z.string().min(1).optional(),
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/)
      .optional(),
    topic_arn: z
      .string()
      .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/)
      .optional(),
  })
  .refine(({ url, topic_arn }) => (url === undefined) !== (topic_arn === undefined));
/** Where a sink of configs/alerts.json is: a URL and what is sent there is signed with, or a topic of SNS. */
export type AlertAddress = z.infer<typeof AlertAddress>;

const AlertAddresses = z.record(z.string(), AlertAddress);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Environment = z.object({
  STAGE: z.string().default("local").describe("deployment stage"),
  TABLE_NAME: z.string().min(1).describe("the one DynamoDB table"),
  ARTIFACT_BUCKET: z.string().min(1).describe("the one S3 bucket"),
  LEASE_SECONDS: z.coerce.number().int().min(5).max(900).default(60).describe("lease on a step"),
  SHARD: z.string().default("0").describe("shard label"),
  SERVICE_VERSION: z.string().default("0.1.0").describe("producer version stamped on artifacts"),
  S3_FORCE_PATH_STYLE: z.stringbool().default(false).describe("true for S3 emulators"),
  CONFIG_DIRECTORY: z.string().default("configs").describe("where the operator's JSON files are"),
  CONFIG_SOURCE: z
    .union([z.literal("directory"), z.string().regex(S3_PREFIX)])
    .default("directory")
    .describe("where changes are looked for: `directory`, or s3://<bucket>/<prefix>/"),
  API_KEY_PEPPER: z
    .union([z.literal(""), z.string().min(32)])
    .default("")
    .describe("secret that API keys are hashed with, 32 characters or more"),
  WEBHOOK_SECRET_ROOT: z
    .union([z.literal(""), z.string().min(32)])
    .default("")
    .describe("secret that webhooks' secrets follow from, 32 characters or more"),
  ALERT_SINKS: z
    .string()
    .default("")
    .transform((text, context) => {
      const parsed = AlertAddresses.safeParse(text === "" ? {} : jsonOf(text));
      if (parsed.success) return parsed.data;
      // The text itself is a secret.
      context.addIssue({ code: "custom", message: `is no JSON such as {"chat":{"url":"https://…"}}` });
      return z.NEVER;
    })
    .describe(
      "where the sinks of configs/alerts.json are, by name: url, and secret of a signed webhook, or topic_arn",
    ),
  MODEL_URL: z
    .union([z.literal(""), z.url()])
    .default("")
    .describe("chat completions endpoint"),
  MODEL_NAME: z.string().default("").describe("the model asked there"),
  NEO4J_URL: z.string().default("").describe("where the code graph is kept; empty: in S3"),
  NEO4J_USER: z.string().default("neo4j").describe("who we are there"),
  NEO4J_PASSWORD: z.string().default("").describe("our password there"),
  NEO4J_DATABASE: z.string().default("neo4j").describe("the database there"),
});

/** What the environment says of models. A variable that is not set is an empty text here. */
export interface ModelSettings {
  /** A chat completions endpoint, whole. */
  url: string;
  /** The model asked there. */
  name: string;
  /** Those that are set, by variable: MODEL_API_KEY, and MODEL_API_KEY_… that configs/codegen.json names. */
  api_keys: Partial<Record<string, string>>;
}

/** A Neo4j server that keeps the code graph. */
export interface Neo4jSettings {
  url: string;
  user: string;
  password: string;
  database: string;
}

export interface Settings {
  stage: string;
  table_name: string;
  artifact_bucket: string;
  lease_seconds: number;
  shard: string;
  service_version: string;
  s3_force_path_style: boolean;
  config_directory: string;
  /** The objects that replace the files of `config_directory`; undefined when these are watched themselves. */
  config_objects?: { bucket: string; prefix: string } | undefined;
  /** What API keys are hashed with; undefined where a function answers no requests. */
  api_key_pepper?: string | undefined;
  /** What webhooks' secrets follow from; undefined where a function neither makes nor uses them. */
  webhook_secret_root?: string | undefined;
  /** Where the sinks of configs/alerts.json are, and what is sent to them is signed with. */
  alert_sinks?: Readonly<Record<string, AlertAddress>> | undefined;
  /** The models that answer changes in words; configs/codegen.json says more of them. */
  model?: ModelSettings | undefined;
  /** Keeps the code graph; undefined when S3 and the table do. */
  neo4j?: Neo4jSettings | undefined;
}

/** The process's environment, checked. Throws an error that names each missing or wrong variable. */
export function settings(): Settings {
  const parsed = Environment.safeParse(process.env);
  if (!parsed.success) throw new Error(`the environment is not valid: ${describeIssues(parsed.error)}`);
  const values = parsed.data;
  const [, bucket, prefix = ""] = S3_PREFIX.exec(values.CONFIG_SOURCE) ?? [];
  return {
    stage: values.STAGE,
    table_name: values.TABLE_NAME,
    artifact_bucket: values.ARTIFACT_BUCKET,
    lease_seconds: values.LEASE_SECONDS,
    shard: values.SHARD,
    service_version: values.SERVICE_VERSION,
    s3_force_path_style: values.S3_FORCE_PATH_STYLE,
    config_directory: values.CONFIG_DIRECTORY,
    config_objects: bucket === undefined ? undefined : { bucket, prefix },
    api_key_pepper: values.API_KEY_PEPPER || undefined,
    webhook_secret_root: values.WEBHOOK_SECRET_ROOT || undefined,
    alert_sinks: values.ALERT_SINKS,
    model: modelOf(values),
    neo4j: neo4jOf(values),
  };
}

/** What ALERT_SINKS says, for a program that needs no other setting. Throws an error that does not tell it. */
export function alertSinks(): NonNullable<Settings["alert_sinks"]> {
  const parsed = Environment.shape.ALERT_SINKS.safeParse(process.env.ALERT_SINKS);
  if (parsed.success) return parsed.data;
  throw new Error(`ALERT_SINKS ${parsed.error.issues[0]?.message}`);
}

function modelOf({ MODEL_URL, MODEL_NAME }: z.output<typeof Environment>): ModelSettings {
  const keys = Object.entries(process.env).filter(([name, value]) => MODEL_KEY_NAME.test(name) && value);
  return { url: MODEL_URL, name: MODEL_NAME, api_keys: Object.fromEntries(keys) };
}

function neo4jOf(values: z.output<typeof Environment>): Neo4jSettings | undefined {
  const { NEO4J_URL: url, NEO4J_USER, NEO4J_PASSWORD: password, NEO4J_DATABASE } = values;
  if (url === "") return undefined;
  return { url, user: NEO4J_USER || "neo4j", password, database: NEO4J_DATABASE || "neo4j" };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`environment variable ${name} is not set; serverless.yml declares it`);
  return value;
}

/** `my-agent` is `MY_AGENT` in a variable's name, as scripts/serverless/expand-agents.ts writes it. */
function variablePart(service: string): string {
  return service.toUpperCase().replaceAll("-", "_");
}

/** URL of the queue that feeds `service`. */
export function queueUrl(service: string): string {
  return required(`QUEUE_URL_${variablePart(service)}`);
}

/** URL of the dead-letter queue of `service`. */
export function deadLetterQueueUrl(service: string): string {
  return required(`DLQ_URL_${variablePart(service)}`);
}

/** The services that have a queue, as serverless.yml declares them. */
export function queueServices(): string[] {
  return Object.keys(process.env)
    .filter((name) => name.startsWith("QUEUE_URL_"))
    .map((name) => name.slice("QUEUE_URL_".length).toLowerCase().replaceAll("_", "-"))
    .sort();
}

/** Stages whose HTTP API is serverless-offline: no gateway and no authorizer stands before the functions. */
const STAGES_WITHOUT_EDGE = ["local", "localstack"];

/** Whether API Gateway stands before the functions, so that what it says of a request can be believed. */
export function hasEdge(stage: string): boolean {
  return !STAGES_WITHOUT_EDGE.includes(stage);
}

/**
 * Whether this is an execution environment of Lambda, which local stages are not:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function isDeployed(): boolean {
  return process.env.AWS_LAMBDA_INITIALIZATION_TYPE !== undefined;
}
