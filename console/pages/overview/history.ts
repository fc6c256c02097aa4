import type { TaskList } from "#schemas/http/task-view.ts";

type TaskSummary = TaskList["tasks"][number];

/** The last 24 hours by intervals. */
export interface History {
  /** Unix time in s at which each interval begins, oldest first. */
  times: number[];
  /** Tasks that ended in the interval and passed. */
  passed: number[];
  /** Tasks that ended in the interval otherwise. */
  other: number[];
  /** Of tasks that ended in the interval, from acceptance to end; null where none did. */
  p50_ms: (number | null)[];
  p95_ms: (number | null)[];
  /** False: there were more tasks than were read; only the newest are counted. */
  is_whole: boolean;
  /** Unix time in ms from which on tasks are counted. */
  since: number;
}

export interface RecentTasks {
  tasks: TaskSummary[];
  is_whole: boolean;
}

/** The interval is the smallest of these with which at most 48 intervals cover the time that is known. */
const INTERVALS_MS = [60_000, 300_000, 900_000, 1_800_000];
const INTERVALS_MAX = 48;
/** A chart of less than this says little. */
const SHOWN_MS_MIN = 1_800_000;

/** Counts and durations of the tasks by interval of when they ended. */
export function historyOf({ tasks, is_whole }: RecentTasks, now: number): History {
  const oldest = Math.min(now - SHOWN_MS_MIN, ...tasks.map(({ created_at }) => Date.parse(created_at)));
  const widest = INTERVALS_MS.at(-1) ?? SHOWN_MS_MIN;
  const interval_ms = INTERVALS_MS.find((each) => (now - oldest) / each < INTERVALS_MAX - 1) ?? widest;
  const first = Math.floor(oldest / interval_ms);
  const count = Math.min(INTERVALS_MAX + 1, Math.floor(now / interval_ms) - first + 1);
  const ended = Array.from({ length: tasks.length > 0 ? count : 0 }, () => ({
    passed: 0,
    other: 0,
    took: [] as number[],
  }));
  for (const { ended_at, created_at, verdict } of tasks) {
    const slot =
      ended_at === undefined ? undefined : ended[Math.floor(Date.parse(ended_at) / interval_ms) - first];
    if (!slot || ended_at === undefined) continue;
    if (verdict === "passed") slot.passed += 1;
    else slot.other += 1;
    slot.took.push(Date.parse(ended_at) - Date.parse(created_at));
  }
  return {
    times: ended.map((_, index) => ((first + index) * interval_ms) / 1000),
    passed: ended.map(({ passed }) => passed),
    other: ended.map(({ other }) => other),
    p50_ms: ended.map(({ took }) => quantile(took, 0.5)),
    p95_ms: ended.map(({ took }) => quantile(took, 0.95)),
    is_whole,
    since: oldest,
  };
}

/** The smallest value that at least this share of the values does not exceed; null of none. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
