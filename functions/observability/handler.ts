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

const stack = middy<Invocation, void>({ timeoutEarlyInMillis: 0 })
  .use([finishInvocation(), reportCounts("observer"), followConfig()])
  .handler(async ({ platform }: Invocation) => {
    const { table, runtime, settings } = platform;
    await addUpCounts({ table, runtime, table_name: settings.table_name });
  });

/** Runs on a schedule: adds the counts of the last minutes to the hours and totals. */
export async function handler(_event: unknown, lambda: Context): Promise<void> {
  await stack(beginInvocation("observability", lambda, awsPorts()), lambda);
}
