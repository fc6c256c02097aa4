import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Following } from "#lib/platform/config/config-store.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { SpanSink } from "#lib/platform/trace/span-sink.ts";

/** What every invocation of a function needs, whatever triggers it: a queue, a request, a schedule. */
export interface InvocationPorts {
  runtime: Runtime;
  table: DynamoDBDocumentClient;
  settings: Settings;
  logOf(service: string): Log;
  /** Brings the configuration up to date when an invocation begins; absent where it cannot change. */
  followConfig?(log: Log): Promise<Following>;
  /** Receive finished spans; without them no span is kept. */
  spanSinks?: readonly SpanSink[];
}
