import { JOB_MOVES, moveJob } from "#lib/agents/dlq/replay-job-store.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { ReplayView } from "#schemas/http/replays.ts";
import type { ReplayJobRecord } from "#schemas/records/replay.ts";
import type { GatewayPorts } from "./ports.ts";
import { approvalEnds, findReplay, type Operator, replayView, start } from "./replay-jobs.ts";

export type JobCommand = keyof typeof JOB_MOVES;

const BECAUSE = { pause: "REPLAY_PAUSED", abort: "REPLAY_ABORTED" } as const;
const TRIES_MAX = 5;

/**
 * Carries out an operator's command. The worker of the job obeys within a second or so.
 *
 * @throws HttpError 404 `REPLAY_NOT_FOUND`, 409 `REPLAY_STATE_CONFLICT`, `APPROVAL_EXPIRED`, 403 `APPROVAL_NOT_OWN`
 */
export async function commandReplay(
  operator: Operator,
  replay_id: string,
  command: JobCommand,
  ports: GatewayPorts,
): Promise<ReplayView> {
  const { from, to } = JOB_MOVES[command];
  const { subject, tenant, audited } = operator;
  const first = await findReplay(tenant, replay_id, ports);
  if (command === "approve" && first.created_by === subject) {
    throw new HttpError(
      "APPROVAL_NOT_OWN",
      "another operator than the one who created the job must approve it",
    );
  }
  return audited({ action: `dlq.${command}`, target: replay_id, detail: { was: first.state } }, async () => {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const job = await findReplay(tenant, replay_id, ports);
      if (!from.includes(job.state)) throw conflict(job, command, from);
      if (command === "approve" && ports.runtime.now() >= approvalEnds(job, ports)) {
        throw await expired(job, ports);
      }
      const moved = await moveJob(job, changesOf(job, command, to, operator, ports), ports);
      if (!moved) continue; // its worker wrote in between
      await start(moved, operator, ports);
      return replayView(moved, ports);
    }
    throw new HttpError(
      "REPLAY_STATE_CONFLICT",
      "the job changed again and again meanwhile; send the command again",
    );
  });
}

function changesOf(
  job: ReplayJobRecord,
  command: JobCommand,
  state: ReplayJobRecord["state"],
  { subject }: Operator,
  ports: GatewayPorts,
) {
  const ends = state === "aborted" ? { ended_at: instant(ports.runtime.now()) } : { ended_at: undefined };
  if (command === "pause" || command === "abort") {
    return { state, because: BECAUSE[command], says: `ordered by ${subject}`, ...ends };
  }
  const run = job.run + 1; // a run is claimed once: that of a job which was sent back for approval has ended
  const approved = command === "approve" ? { approved_by: subject } : {};
  return { state, run, because: undefined, says: undefined, ...ends, ...approved };
}

/** Ends a job that nobody approved in time, and says so. */
async function expired(job: ReplayJobRecord, ports: GatewayPorts): Promise<HttpError> {
  const said = `${job.replay_id} waited for approval too long; order it again`;
  const ended_at = instant(ports.runtime.now());
  await moveJob(job, { state: "aborted", because: "APPROVAL_EXPIRED", says: said, ended_at }, ports);
  return new HttpError("APPROVAL_EXPIRED", said);
}

function conflict({ state, replay_id }: ReplayJobRecord, command: JobCommand, from: string[]): HttpError {
  const said = `${replay_id} is ${state}; ${command} needs a job that is ${from.join(" or ")}`;
  return new HttpError("REPLAY_STATE_CONFLICT", said);
}
