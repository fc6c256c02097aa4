import type { ServiceDeclaration } from "./expand-agents.ts";

/** Lambda takes no event source with fewer: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const CONCURRENCY_MIN = 2;

interface QueueEvent {
  sqs?: { maximumConcurrency?: number };
}

/** Holds every event source of a deployed stage to `concurrency_max` of custom.stages in serverless.yml. */
export function limitConcurrency({ provider, functions, custom }: ServiceDeclaration): void {
  const stages = custom?.stages ?? {};
  const { concurrency_max } = { ...stages.default, ...stages[provider.stage ?? ""] };
  if (concurrency_max === undefined) return;
  if (concurrency_max < CONCURRENCY_MIN) {
    throw new RangeError(`custom.stages: concurrency_max must be ${CONCURRENCY_MIN} or more`);
  }
  for (const { sqs } of Object.values(functions).flatMap(({ events = [] }) => events as QueueEvent[])) {
    if (sqs?.maximumConcurrency !== undefined) {
      sqs.maximumConcurrency = Math.min(sqs.maximumConcurrency, concurrency_max);
    }
  }
}
