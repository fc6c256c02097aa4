import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import {
  beginInvocation,
  finishInvocation,
  followConfig,
  type Invocation,
  reportCounts,
} from "#lib/platform/lambda/invocation.ts";
import { addUpCounts } from "#lib/platform/metrics/add-up-counts.ts";
import { lastEvaluation } from "#lib/work/observation/alert-store.ts";
import { evaluateAlerts } from "#lib/work/observation/evaluate-alerts.ts";
import { evaluationPorts } from "./dependencies.ts";

const stack = middy<Invocation, void>({ timeoutEarlyInMillis: 0 })
  .use([finishInvocation(), reportCounts("observer"), followConfig()])
  .handler(async ({ log }: Invocation) => {
    const ports = evaluationPorts(log);
    await evaluateAlerts(await lastEvaluation(ports), ports);
    await addUpCounts(ports);
  });

/** Runs on a schedule: evaluates the alerts, and adds the counts of the last minutes to the hours and totals. */
export async function handler(_event: unknown, lambda: Context): Promise<void> {
  await stack(beginInvocation("observability", lambda, awsPorts()), lambda);
}
