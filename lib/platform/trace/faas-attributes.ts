import type { Context } from "aws-lambda";
import type { SpanAttributes } from "#schemas/records/span.ts";

/** Services this process has served before. */
const warm = new Set<string>();

/** https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/ */
export function faasAttributes(
  trigger: "http" | "pubsub" | "timer",
  service: string,
  lambda: Pick<Context, "awsRequestId" | "functionName">,
): SpanAttributes {
  const coldstart = !warm.has(service);
  warm.add(service);
  return {
    "faas.trigger": trigger,
    "faas.name": lambda.functionName,
    "faas.invocation_id": lambda.awsRequestId,
    ...(coldstart && { "faas.coldstart": true }),
  };
}
