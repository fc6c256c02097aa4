import { setTimeout as delay } from "node:timers/promises";
import { ReplayView } from "#schemas/http/replays.ts";
import type { Api } from "./api.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { patience, patiently } from "./patiently.ts";
import { replayLine } from "./render/replay-table.ts";
import type { Terminal } from "./terminal.ts";

const POLL_MS = 500;

/** Follows a job until it has ended, is paused or waits for approval, with its progress on one line. */
export async function followReplay(api: Api, first: ReplayView, terminal: Terminal): Promise<ReplayView> {
  let view = first;
  const look = () => api.get(ReplayView, `/api/dlq/replays/${first.replay_id}`);
  const onOutage = (notice: string) => terminal.lines(`  ! ${notice}`);
  while (view.state === "running") {
    terminal.live(replayLine(view, terminal.paint));
    await delay(POLL_MS);
    view = await patiently(look, { ...patience, onOutage });
  }
  terminal.live();
  return view;
}

/** 0 when every message was dealt with; 1 when some were kept or failed again, or the job did not complete. */
export function replayExit({ state, counts }: ReplayView): ExitCode {
  if (state === "failed") return exitCode.error;
  const left = counts.kept + counts.failed_again + counts.permanently_failed + counts.pending;
  return state === "completed" && left === 0 ? exitCode.passed : exitCode.failed;
}
