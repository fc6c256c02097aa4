import type { ScheduledHandler } from "aws-lambda";
import { awsPlatform } from "#lib/agent/platform.ts";
import { makeCounters } from "#lib/metrics/counters.ts";
import { reportMetrics } from "#lib/metrics/report-metrics.ts";
import { orchestratorPorts } from "./dependencies.ts";
import { sweepOpenTasks } from "./sweep-open-tasks.ts";

/** On a schedule: finds the tasks that stand still. */
export const handler: ScheduledHandler = async () => {
  const platform = awsPlatform();
  const log = platform.logOf("sweeper");
  const counters = makeCounters();
  const following = await platform.followConfig?.(log);
  await sweepOpenTasks(orchestratorPorts(counters, log));
  following?.stop(counters);
  await reportMetrics({ service: "orchestrator", role: "sweeper" }, counters, platform, log);
};
