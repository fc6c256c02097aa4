import type { ScheduledHandler } from "aws-lambda";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { reportMetrics } from "#lib/platform/metrics/report-metrics.ts";
import { invocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { orchestratorPorts } from "./dependencies.ts";
import { sweepDeliveries } from "./sweep-deliveries.ts";
import { sweepOpenTasks } from "./sweep-open-tasks.ts";

/** On a schedule: finds the tasks and deliveries that stand still. */
export const handler: ScheduledHandler = async (_event, lambda) => {
  const platform = awsPorts();
  const log = platform.logOf("sweeper");
  const counters = makeCounters();
  const invocation = { function_name: lambda.functionName, invocation: lambda.awsRequestId };
  const { runtime, spanSinks: sinks } = platform;
  const spans = invocationSpans({ service: "sweeper", ...invocation, runtime, log, sinks });
  const following = await platform.followConfig?.(log);
  const ports = orchestratorPorts(counters, log);
  await sweepOpenTasks(ports, spans);
  await sweepDeliveries(ports, spans);
  following?.stop(counters);
  await Promise.all([
    reportMetrics({ service: "orchestrator", role: "sweeper" }, counters, platform, log),
    spans.flush(lambda.getRemainingTimeInMillis()),
  ]);
};
