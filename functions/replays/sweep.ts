import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import {
  beginInvocation,
  finishInvocation,
  flushSpans,
  followConfig,
  type Invocation,
  reportCounts,
} from "#lib/platform/lambda/invocation.ts";
import { replayJobPorts } from "./dependencies.ts";
import { sweepQueues, sweepSilentJobs } from "./sweep-queues.ts";

const stack = middy<Invocation, void>({ timeoutEarlyInMillis: 0 })
  .use([finishInvocation(), flushSpans(), reportCounts("dlq-sweeper", "replays"), followConfig()])
  .handler(async ({ log }: Invocation) => {
    const ports = { ...replayJobPorts(), log };
    await sweepSilentJobs(ports);
    await sweepQueues(ports);
  });

/** Runs on a schedule: records what SQS moved to a DLQ, deletes what is settled, wakes replay jobs that stand still. */
export async function handler(_event: unknown, lambda: Context): Promise<void> {
  await stack(beginInvocation("dlq-sweeper", lambda, awsPorts()), lambda);
}
