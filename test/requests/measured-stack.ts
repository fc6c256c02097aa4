import { setTimeout as delay } from "node:timers/promises";
import type { RecordedCall } from "../access/accesses.ts";
import { recordedStack } from "../access/recorded-stack.ts";
import { type ApiClient, developmentClient } from "../e2e/client.ts";
import { averageRows, type PurposeRow, requestOf } from "./request-table.ts";

/** A local stack that counts the AWS requests of its tasks, as its clients send them. */
export interface MeasuredStack {
  api: ApiClient;
  /** Runs so many tasks one after the other and gives the requests of one of them, on average. */
  measure(submission: (run: number) => object, tasks: number): Promise<PurposeRow[]>;
  stop(): Promise<void>;
}

const LOOK_MS = 50;
/** Without a request for so long, the invocations of the last task have ended. */
const QUIET_MS = 1500;
const PATIENCE_MS = 120_000;
/** Run by the clock and not for a task. */
const SCHEDULED = ["sweeper", "dlq-sweeper", "observability"];

export async function measuredStack(env: Record<string, string> = {}): Promise<MeasuredStack> {
  const recorded = await recordedStack(env);
  const { stack } = recorded;
  const api = developmentClient(stack.url, stack.data_dir);
  const calls = () => recorded.calls().filter((call) => !SCHEDULED.includes(call.function));

  /** Nobody polls: that would add requests. The end of the task is seen in the requests themselves. */
  const untilSealed = async (before: number) => {
    for (const until = Date.now() + PATIENCE_MS; ; await delay(LOOK_MS)) {
      const made = calls();
      const sealed = made.slice(before).some((call) => requestOf(call).purpose === "seal the task");
      if (sealed && Date.now() - lastAt(made) > QUIET_MS) return;
      if (Date.now() > until) throw new Error("the task was not sealed within two minutes");
    }
  };

  return {
    api,
    async measure(submission, tasks) {
      const start = calls().length;
      for (let run = 0; run < tasks; run += 1) {
        const before = calls().length;
        await api.submit(submission(run));
        await untilSealed(before);
      }
      return averageRows(calls().slice(start), tasks);
    },
    stop: recorded.stop,
  };
}

function lastAt(calls: readonly RecordedCall[]): number {
  return Math.max(...calls.map(({ at_ms }) => at_ms));
}
