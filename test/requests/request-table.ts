import type { RecordedCall } from "../access/accesses.ts";

/** Requests of one purpose, for one task. */
export interface PurposeRow {
  /** The function that makes them. */
  function: string;
  kind: RequestKind;
  purpose: string;
  requests: number;
  /** Write units of DynamoDB, indexes included, or read units. */
  units: number;
}

type RequestKind = "write" | "query" | "get" | "s3_put" | "s3_get" | "send" | "other";

const KINDS: Record<string, RequestKind> = {
  PutItem: "write",
  UpdateItem: "write",
  DeleteItem: "write",
  Query: "query",
  GetItem: "get",
  PutObject: "s3_put",
  CopyObject: "s3_put",
  GetObject: "s3_get",
  HeadObject: "s3_get",
  SendMessage: "send",
};

const CANCEL_LOOK = "see whether the step is canceled";
const RENEWAL = "renew a lease";
/** As many as the step takes time, so no task's number: shown, and not counted. */
const TIMED = [CANCEL_LOOK, RENEWAL];
/** At most one in some seconds, however many tasks there are: counted apart. */
const BY_THE_CLOCK = ["write counts", "write the rate limit's bucket"];

/** A recorded call as a request with a purpose. */
export function requestOf({ command, input, consumed, function: by }: RecordedCall): PurposeRow {
  const operation = command.replace(/Command$/, "");
  return {
    function: by,
    kind: KINDS[operation] ?? "other",
    purpose: purposeOf(operation, input),
    requests: 1,
    units: consumed?.CapacityUnits ?? 0,
  };
}

type Input = RecordedCall["input"];

function purposeOf(operation: string, input: Input): string {
  if (input.QueueUrl !== undefined) return `${operation} ${String(input.QueueUrl).split("-").at(-1)}`;
  if (input.TableName === undefined) return objectPurpose(operation, String(input.Key));
  const { pk, sk } = placeOf(input);
  const [prefix = ""] = pk.split("#");
  if (prefix === "TASK" && operation === "PutItem") return taskWrite(input);
  if (prefix === "TASK" && operation === "UpdateItem") return stepWrite(String(input.UpdateExpression), sk);
  if (prefix === "TASK" && operation === "GetItem" && sk.startsWith("STEP")) return CANCEL_LOOK;
  const list = input.IndexName ? ` by ${input.IndexName}` : "";
  return `${VERBS[operation] ?? operation} ${NOUNS[prefix] ?? prefix}${list}`;
}

const VERBS: Record<string, string> = {
  Query: "read",
  GetItem: "read",
  PutItem: "write",
  UpdateItem: "write",
};
const NOUNS: Record<string, string> = {
  TASK: "the ledger",
  METRICS: "counts",
  TRACE: "spans",
  KEY: "the credential",
  WEBHOOKS: "webhooks",
  GRAPH: "the graph's pointer",
  LIMIT: "the rate limit's bucket",
};

function placeOf(input: Input): { pk: string; sk: string } {
  const place = (input.Key ?? input.Item ?? {}) as Record<string, unknown>;
  const [, name = ""] = /^\w+ = (:\w+)/.exec(String(input.KeyConditionExpression)) ?? [];
  const values = (input.ExpressionAttributeValues ?? {}) as Record<string, unknown>;
  return { pk: textOf(place.pk ?? values[name]), sk: textOf(place.sk) };
}

function textOf(value: unknown): string {
  return String((value as { S?: string } | undefined)?.S ?? value ?? "");
}

function taskWrite(input: Input): string {
  const item = input.Item as Record<string, unknown>;
  if (textOf(item.sk).startsWith("DELIVERY")) return "open a delivery";
  if (item.sealed_at) return "seal the task";
  if (item.ended_at) return "end the task";
  const version = String((item.version as { N?: string })?.N ?? item.version);
  return version === "1" ? "accept the task" : "dispatch a step";
}

function stepWrite(update: string, sk: string): string {
  const [kind = ""] = sk.toLowerCase().split("#");
  if (update.includes("outcome = :outcome")) return `complete a ${kind}`;
  if (update.includes("list_append(if_not_exists(history")) return `claim a ${kind}`;
  return update.includes(":until") ? RENEWAL : `write a ${kind}`;
}

function objectPurpose(operation: string, key: string): string {
  const place = /^tenants\/[^/]+\/(\w+)\//.exec(key)?.[1] ?? "the bucket";
  return `${operation} ${place}`;
}

/** The requests of several tasks by function and purpose, on average for one of them. */
export function averageRows(calls: readonly RecordedCall[], tasks: number): PurposeRow[] {
  const rows = new Map<string, PurposeRow>();
  for (const call of calls) {
    const row = requestOf(call);
    const key = [row.function, row.kind, row.purpose].join("|");
    const sum = rows.get(key) ?? { ...row, requests: 0, units: 0 };
    rows.set(key, { ...sum, requests: sum.requests + 1 / tasks, units: sum.units + row.units / tasks });
  }
  return [...rows.values()];
}

/** What one task takes of each kind. */
export interface Totals {
  /** Of the task itself. */
  writes: number;
  /** That each environment makes once in some seconds: of its counts and its rate limits. */
  clock_writes: number;
  write_units: number;
  queries: number;
  gets: number;
  read_units: number;
  s3_puts: number;
  s3_gets: number;
  sends: number;
}

export function totalsOf(all: readonly PurposeRow[]): Totals {
  const rows = all.filter(({ purpose }) => !TIMED.includes(purpose) && !BY_THE_CLOCK.includes(purpose));
  const clock_writes = all.filter(({ purpose }) => BY_THE_CLOCK.includes(purpose));
  const sum = (kind: RequestKind, field: "requests" | "units" = "requests") =>
    rounded(rows.filter((row) => row.kind === kind).reduce((total, row) => total + row[field], 0));
  return {
    writes: sum("write"),
    clock_writes: rounded(clock_writes.reduce((total, row) => total + row.requests, 0)),
    write_units: sum("write", "units"),
    queries: sum("query"),
    gets: sum("get"),
    read_units: rounded(sum("query", "units") + sum("get", "units")),
    s3_puts: sum("s3_put"),
    s3_gets: sum("s3_get"),
    sends: sum("send"),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The rows as lines of text, for people. */
export function describeRows(rows: readonly PurposeRow[]): string[] {
  return rows.map(({ function: by, kind, purpose, requests, units }) =>
    [
      by.padEnd(13),
      kind.padEnd(7),
      purpose.padEnd(34),
      amount(requests),
      units ? `${amount(units)} units` : "",
    ]
      .join(" ")
      .trimEnd(),
  );
}

const amount = (value: number) => String(rounded(value)).padStart(7);
