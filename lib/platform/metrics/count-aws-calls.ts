import type { AwsCall } from "#lib/platform/aws/call-meter.ts";
import type { CountedMetric } from "#lib/platform/metrics/catalogue.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";

const METRICS: Readonly<Record<string, CountedMetric>> = {
  dynamodb: "aws_dynamodb",
  s3: "aws_s3",
  sns: "aws_sns",
  sqs: "aws_sqs",
};

/** Counts a request of AWS, the SDK's own retries of it as one, under the tenant whose work needed it. */
export function countAwsCall({ service }: AwsCall, tenant: string | undefined, counters: Counters): void {
  const metric = METRICS[service];
  if (metric) counters.count(metric, tenant ?? "unknown");
}
