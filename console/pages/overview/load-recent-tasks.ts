import type { TaskList } from "#schemas/http/task-view.ts";
import { ask } from "../../app/api.ts";
import type { RecentTasks } from "./history.ts";

const DAY_MS = 86_400_000;
const PAGES_MAX = 10;
const PAGE_ROWS = 100;

/** The newest tasks of the last 24 hours, up to 1,000. */
export async function loadRecentTasks(now: number, signal: AbortSignal): Promise<RecentTasks> {
  const since = new Date(Math.floor((now - DAY_MS) / 60_000) * 60_000).toISOString();
  const tasks: RecentTasks["tasks"] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = { since, limit: PAGE_ROWS, cursor };
    const answer = await ask<TaskList>("/api/tasks", { query, signal });
    tasks.push(...answer.tasks);
    if (answer.next_cursor === null) return { tasks, is_whole: true };
    cursor = answer.next_cursor;
  }
  return { tasks, is_whole: false };
}
