import { documentClient } from "#lib/platform/aws/clients.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { settings } from "#lib/platform/settings/environment.ts";
import { telemetry } from "#lib/platform/settings/telemetry.ts";
import { otlpSink } from "#lib/platform/trace/otlp-sink.ts";
import type { SpanSink } from "#lib/platform/trace/task-spans.ts";
import { taskSpanSink } from "#lib/platform/trace/task-spans.ts";

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
