import { documentClient } from "#lib/aws/clients.ts";
import { settings } from "#lib/config/environment.ts";
import { telemetry } from "#lib/config/telemetry.ts";
import { jsonLog } from "#lib/log/json-log.ts";
import { systemRuntime } from "#lib/runtime/runtime.ts";
import { otlpSink } from "#lib/trace/otlp-sink.ts";
import type { SpanSink } from "#lib/trace/span-sink.ts";
import { taskSpanSink } from "#lib/trace/task-spans.ts";

/** The table, and a collector when OpenTelemetry's variables name one. */
export function awsSpanSinks(): SpanSink[] {
  const { table_name, stage, service_version } = settings();
  const asked = telemetry();
  const log = jsonLog({ service: "telemetry" });
  for (const remark of asked.remarks) log.warn("TELEMETRY_SETTING", remark);
  const table = taskSpanSink({ table: documentClient(), table_name, runtime: systemRuntime });
  const collector = otlpSink(asked, { stage, service_version });
  return collector ? [table, collector] : [table];
}
