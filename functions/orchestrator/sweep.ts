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
import { watchEvaluator } from "#lib/work/observation/watch-evaluator.ts";
import { orchestratorPorts } from "./dependencies.ts";
import { sweepDeliveries, sweepOpenTasks } from "./sweep-overdue.ts";

const stack = middy<Invocation, void>({ timeoutEarlyInMillis: 0 })
  .use([finishInvocation(), flushSpans(), reportCounts("sweeper", "orchestrator"), followConfig()])
  .handler(async ({ counters, log, spans }: Invocation) => {
    const ports = orchestratorPorts(counters, log);
    await sweepOpenTasks(ports, spans);
    await sweepDeliveries(ports, spans);
    await watchEvaluator(ports);
  });

/** Runs on a schedule: nudges overdue tasks, sends overdue deliveries, and sees that alerts are evaluated. */
export async function handler(_event: unknown, lambda: Context): Promise<void> {
  await stack(beginInvocation("sweeper", lambda, awsPorts()), lambda);
}
