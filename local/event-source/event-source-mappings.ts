import { type ResourceLookup, resolveIntrinsics } from "../resources/resolve-intrinsics.ts";
import type { EventSourceMapping } from "./poller.ts";

interface SqsEventBlock {
  arn?: unknown;
  batchSize?: number;
  maximumBatchingWindow?: number;
  maximumConcurrency?: number;
  functionResponseType?: string;
  filterPatterns?: unknown;
  enabled?: boolean;
}

export interface ServiceFunction {
  timeout?: number;
  events?: { sqs?: string | SqsEventBlock; schedule?: unknown }[];
}

const CONCURRENCY_UNLIMITED = 10;

/**
 * The event source mappings that serverless.yml declares, with their queues resolved. Concurrency is
 * capped at `concurrency_max`: a laptop is not a fleet.
 *
 * @throws on what AWS would refuse, and on filterPatterns, which the local stack does not evaluate.
 */
export function eventSourceMappings(
  functions: Record<string, ServiceFunction>,
  lookup: ResourceLookup,
  concurrency_max: number,
): EventSourceMapping[] {
  return Object.entries(functions).flatMap(([function_key, { events = [] }]) =>
    events
      .flatMap(({ sqs }) => (sqs === undefined ? [] : [typeof sqs === "string" ? { arn: sqs } : sqs]))
      .filter(({ enabled = true }) => enabled)
      .map((block) => mapping(function_key, block, lookup, concurrency_max)),
  );
}

function mapping(
  function_key: string,
  block: SqsEventBlock,
  lookup: ResourceLookup,
  concurrency_max: number,
): EventSourceMapping {
  const { batchSize: batch_size = 10, maximumBatchingWindow: batch_window_seconds = 0 } = block;
  if (block.filterPatterns) {
    throw new Error(
      `${function_key}: the local stack does not evaluate filterPatterns; filter in the function.`,
    );
  }
  if (batch_size > 10 && batch_window_seconds < 1) {
    throw new Error(`${function_key}: a batchSize over 10 needs a maximumBatchingWindow of at least 1.`);
  }
  return {
    function_key,
    queue_arn: String(resolveIntrinsics(block.arn, lookup)),
    batch_size,
    batch_window_seconds,
    concurrency: Math.max(1, Math.min(block.maximumConcurrency ?? CONCURRENCY_UNLIMITED, concurrency_max)),
    reports_failures: block.functionResponseType === "ReportBatchItemFailures",
  };
}
