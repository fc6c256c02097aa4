import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Telemetry } from "#lib/platform/settings/telemetry.ts";
import { encodeOtlp } from "#lib/platform/trace/encode-otlp.ts";
import type { SpanBatch, SpanSink } from "#lib/platform/trace/span-sink.ts";

interface Facts {
  stage: string;
  service_version: string;
}

/**
 * Posts spans to a collector as OTLP/HTTP with JSON. One try: the sender is a function that must
 * not wait, and the table keeps the same spans.
 */
export function otlpSink(
  telemetry: Telemetry,
  facts: Facts,
  post: typeof fetch = fetch,
): SpanSink | undefined {
  const { traces_url, timeout_ms } = telemetry;
  if (!traces_url) return undefined;
  return {
    name: "collector",
    async write(batch, signal) {
      const resource = resourceAttributes(batch, telemetry, facts);
      const json = JSON.stringify(encodeOtlp(batch, resource, facts.service_version));
      const answer = await post(traces_url, {
        method: "POST",
        headers: {
          ...telemetry.headers,
          "content-type": "application/json",
          ...(telemetry.gzip && { "content-encoding": "gzip" }),
        },
        body: telemetry.gzip ? new Uint8Array(await promisify(gzip)(json)) : json,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
      });
      await answer.body?.cancel();
      if (!answer.ok)
        throw new Error(`the collector at ${new URL(traces_url).host} answered ${answer.status}`);
    },
  };
}

/** https://opentelemetry.io/docs/specs/semconv/resource/; what the operator set wins. */
function resourceAttributes({ service, function_name }: SpanBatch, telemetry: Telemetry, facts: Facts) {
  const on_aws = facts.stage !== "local";
  return {
    "service.namespace": "distributed-agents",
    "service.version": facts.service_version,
    "deployment.environment.name": facts.stage,
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "distributed-agents",
    "faas.name": function_name,
    ...(on_aws && { "cloud.provider": "aws", "cloud.platform": "aws_lambda" }),
    ...(on_aws && telemetry.region && { "cloud.region": telemetry.region }),
    ...telemetry.resource_attributes,
    "service.name": telemetry.service_name ?? service,
  };
}
