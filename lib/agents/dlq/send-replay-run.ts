import { REPLAYS, runStep, taskIdOf } from "#lib/agents/dlq/replay-job-store.ts";
import { prepareMessage, type SendPorts } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { parseTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { ReplaysInput } from "#schemas/messages/replays.ts";
import type { ReplayJobRecord } from "#schemas/records/replay.ts";

/** A run that has not ended after so long is not claimed any more; resuming the job begins another one. */
const RUN_DAYS_MAX = 3;
const DAY_MS = 86_400_000;

/** Sends the message of a job's present run. A copy too many does nothing, for a run is claimed once. */
export async function sendReplayRun(
  job: ReplayJobRecord,
  ports: SendPorts,
  parent: TraceContext | undefined = parseTraceparent(job.traceparent),
): Promise<void> {
  if (!parent) throw new TypeError(`the job ${job.replay_id} has no valid traceparent`);
  const payload: ReplaysInput = { replay_id: job.replay_id, run: job.run };
  const send = prepareMessage(
    {
      service: REPLAYS,
      tenant: job.tenant,
      task_id: taskIdOf(job.replay_id),
      step: runStep(job.run),
      round: 0,
      attempt: job.dispatch_count,
      payload,
      deadline_at: instant(ports.runtime.now() + RUN_DAYS_MAX * DAY_MS),
      parent,
    },
    ports,
  );
  await send();
}
