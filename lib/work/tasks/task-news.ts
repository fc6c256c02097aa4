import type { Runtime } from "#lib/platform/runtime/runtime.ts";

/** What somebody waits for. */
interface Followed {
  tenant: string;
  task_id: string;
  /** Tell of its end only, not of every write to its ledger. */
  end_only: boolean;
}

/** News of one task, for a caller that reads it, waits, and reads it again. */
interface TaskNews {
  /**
   * Resolves with true when the task is to be read again: it has changed since the last `next` or since the following
   * began, or it may have. With false after `wait_ms` in which it certainly did not.
   */
  next(wait_ms: number): Promise<boolean>;
  stop(): void;
}

/** Begins to follow a task: what is written from now on is news, also before the first `next`. */
export type FollowTask = (followed: Followed) => TaskNews;

const LOOK_MS_MIN = 100;
const LOOK_MS_MAX = 1000;
const LOOK_GROWTH = 1.5;

/** No table can wake a function that waits: it looks again, after 100 ms at first, and ever more rarely up to a second. */
export function lookAgain(runtime: Pick<Runtime, "sleep">): FollowTask {
  return () => {
    let look_ms = LOOK_MS_MIN;
    return {
      async next(wait_ms) {
        await runtime.sleep(Math.min(look_ms, wait_ms));
        look_ms = Math.min(look_ms * LOOK_GROWTH, LOOK_MS_MAX);
        return true;
      },
      stop() {},
    };
  };
}

let told: FollowTask | undefined;

/** For a stage that runs every function in one process and so sees each write (local/). No handler relies on it. */
export function tellOfTasks(follow: FollowTask | undefined): void {
  told = follow;
}

/** The best there is on this stage. */
export function followTask(runtime: Pick<Runtime, "sleep">): FollowTask {
  return told ?? lookAgain(runtime);
}
