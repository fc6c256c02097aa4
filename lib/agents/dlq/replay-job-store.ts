import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import { INDEXES } from "#lib/platform/table/item-kind.ts";
import { REPLAY_CLAIM, REPLAY_JOB, REPLAY_RESULT } from "#lib/platform/table/items.ts";
import {
  type Item,
  isOfKind,
  keyOf,
  keyOfItem,
  listingAttributes,
  listingOf,
  openShard,
  partitionOf,
  recordFields,
} from "#lib/platform/table/keys.ts";
import { getItem, NEW, putIfOurs, type TablePorts, updateIf } from "#lib/platform/table/operations.ts";
import { queryOverdue, queryPages } from "#lib/platform/table/queries.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import { parseStepItem, type StepStorage } from "#lib/resilience/idempotency/step-item.ts";
import type { ReplayCounts, ReplayOutcome, ReplayState } from "#schemas/http/replays.ts";
import { ReplayJobRecord, ReplayResultRecord } from "#schemas/records/replay.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** The agent that runs replay jobs, and its queue. */
export const REPLAYS = "replays";

export interface JobPorts extends TablePorts {
  runtime: Runtime;
}

export type JobPlace = Pick<ReplayJobRecord, "tenant" | "replay_id">;

/** The id that a job's messages carry where those of a task carry the task's. */
export function taskIdOf(replay_id: string): string {
  return replay_id.replace(/^replay_/, "task_");
}

/** The step of one run of a job. */
export function runStep(run: number): string {
  return `run_${run}`;
}

/** Runs are claimed as steps are, in their job's partition. */
export const runStorage: StepStorage = {
  item: ({ tenant, task_id, step, round }) => ({
    key: keyOf(REPLAY_CLAIM, { tenant, replay_id: task_id.replace(/^task_/, "replay_"), step, round }),
    name: `replay ${step}`,
    parse: parseStepItem,
  }),
  ended: () => ({ set: {}, remove: [] }),
  rearmed: () => ({ set: {}, remove: [] }),
};

/** A running job is looked at by the sweeper when its worker was silent for so long. */
const SILENT_MS_MAX = 60_000;

function openListing({ replay_id }: JobPlace, now_ms: number): Item {
  const check_at = instant(now_ms + SILENT_MS_MAX);
  return listingOf(REPLAY_JOB, "open_tasks", { shard: openShard(replay_id), check_at });
}

function parseJob(item: Item): ReplayJobRecord {
  return ReplayJobRecord.parse(recordFields(item));
}

/** Writes a new job. Returns the one that stands there already when its id was taken. */
export async function createJob(job: ReplayJobRecord, ports: JobPorts): Promise<ReplayJobRecord> {
  const record = ReplayJobRecord.parse(job);
  const item = {
    ...keyOf(REPLAY_JOB, record),
    ...listingOf(REPLAY_JOB, "by_tenant", record),
    ...(record.state === "running" && openListing(record, ports.runtime.now())),
    ...record,
  };
  const put = await putIfOurs(item, NEW, ports);
  return put.written || !put.found ? record : parseJob(put.found);
}

/** A job; undefined when there is none, or its time is over. */
export async function readJob(place: JobPlace, ports: JobPorts): Promise<ReplayJobRecord | undefined> {
  const found = await getItem(keyOf(REPLAY_JOB, place), ports);
  const job = found && parseJob(found);
  return job && !isExpired(job, ports.runtime.now()) ? job : undefined;
}

/** Reads a job of a list of the index. */
export function parseListedJob(item: Item): ReplayJobRecord {
  return parseJob(item);
}

/** What a write of a job sets. A job leaves the sweeper's list unless it runs afterwards. */
export type JobChanges = Partial<
  Pick<
    ReplayJobRecord,
    | "state"
    | "because"
    | "says"
    | "run"
    | "planned_at"
    | "truncated"
    | "counts"
    | "matched"
    | "approved_by"
    | "approval_asked_at"
    | "ended_at"
  >
>;

/**
 * Changes a job if it is still in the state and run that were read. Returns it as it is then; undefined when it was
 * changed meanwhile.
 */
export async function moveJob(
  job: ReplayJobRecord,
  changes: JobChanges,
  ports: JobPorts,
): Promise<ReplayJobRecord | undefined> {
  const now = ports.runtime.now();
  const runs = (changes.state ?? job.state) === "running";
  const set = { ...changes, updated_at: instant(now), expires_at: expiryOf(REPLAY_JOB, now) };
  const kept = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
  const cleared = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [`#${name}`] : [],
  );
  const removed = [...cleared, ...(runs ? [] : listingAttributes("open_tasks"))];
  const { expression, values } = assignments({ ...kept, ...(runs && openListing(job, now)) });
  const written = await updateIf(
    keyOf(REPLAY_JOB, job),
    {
      update: `SET ${expression}${removed.length > 0 ? ` REMOVE ${removed.join(", ")}` : ""}`,
      condition: "#state = :seen_state AND #run = :seen_run",
      values: { ...values, seen_state: job.state, seen_run: job.run },
      returns: "ALL_NEW",
    },
    ports,
  );
  return written && parseJob(written);
}

/** Running jobs whose worker has been silent for too long. */
export async function silentJobs(
  limit: number,
  ports: JobPorts,
): Promise<{ job: ReplayJobRecord; check_at: string }[]> {
  const items = await queryOverdue(REPLAY_JOB, instant(ports.runtime.now()), limit, ports);
  const found = items.map(async (listed) => {
    const item = await getItem(keyOfItem(listed), ports);
    return item ? [{ job: parseJob(item), check_at: String(listed[INDEXES.open_tasks.sort]) }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Looks at a silent job again later. False when another sweeper moved it, or its worker is there again. */
export async function postponeJob(
  { job, check_at }: { job: ReplayJobRecord; check_at: string },
  ports: JobPorts,
): Promise<boolean> {
  const sort = INDEXES.open_tasks.sort;
  const written = await updateIf(
    keyOf(REPLAY_JOB, job),
    {
      update: `SET ${sort} = :next, dispatch_count = dispatch_count + :one`,
      condition: `${sort} = :seen`,
      values: { next: instant(ports.runtime.now() + SILENT_MS_MAX), seen: check_at, one: 1 },
    },
    ports,
  );
  return written !== undefined;
}

/** The claim of a job's present run; undefined when no worker has claimed it. */
export async function readRun(
  { tenant, replay_id, run }: ReplayJobRecord,
  ports: TablePorts,
): Promise<StepRecord | undefined> {
  const { key, parse } = runStorage.item({
    tenant,
    task_id: taskIdOf(replay_id),
    step: runStep(run),
    round: 0,
  });
  const found = await getItem(key, ports);
  return found && parse(found);
}

export function orderOf(index: number): string {
  return String(index).padStart(6, "0");
}

/** Writes down a failure that a job is to take. One that stands there stays as it is. */
export async function addResult(
  job: JobPlace,
  result: Omit<ReplayResultRecord, "expires_at">,
  ports: JobPorts,
): Promise<void> {
  const record = { ...result, expires_at: expiryOf(REPLAY_RESULT, ports.runtime.now()) };
  await putIfOurs(
    { ...keyOf(REPLAY_RESULT, { ...job, ...result }), ...ReplayResultRecord.parse(record) },
    NEW,
    ports,
  );
}

/** Notes what became of a failure. */
export async function noteResult(
  job: JobPlace,
  { order }: Pick<ReplayResultRecord, "order">,
  outcome: Partial<ReplayResultRecord>,
  ports: JobPorts,
): Promise<void> {
  const defined = Object.fromEntries(Object.entries(outcome).filter(([, value]) => value !== undefined));
  const { expression, values } = assignments({ ...defined, at: instant(ports.runtime.now()) });
  await updateIf(
    keyOf(REPLAY_RESULT, { ...job, order }),
    { update: `SET ${expression}`, condition: "attribute_exists(pk)", values },
    ports,
  );
}

/** What a job did, in the order of the job, behind `after` (an order). */
export async function* walkResults(
  job: JobPlace,
  ports: TablePorts,
  after?: string,
): AsyncGenerator<ReplayResultRecord, void> {
  const from = keyOf(REPLAY_RESULT, { ...job, order: after ?? orderOf(0) }).sk;
  const to = keyOf(REPLAY_RESULT, { ...job, order: orderOf(999_999) }).sk;
  const pages = queryPages(partitionOf(REPLAY_RESULT, job), { consistent: true, range: { from, to } }, ports);
  for await (const { items } of pages) {
    for (const item of items) {
      if (!isOfKind(REPLAY_RESULT, item)) continue;
      const result = ReplayResultRecord.parse(recordFields(item));
      if (result.order !== after) yield result;
    }
  }
}

const NONE: ReplayCounts = {
  total: 0,
  pending: 0,
  sent: 0,
  succeeded: 0,
  failed_again: 0,
  removed: 0,
  kept: 0,
  permanently_failed: 0,
  discarded: 0,
  not_found: 0,
};

/** Counts of a job's results by outcome. */
export function countResults(results: Iterable<{ outcome: ReplayOutcome }>): ReplayCounts {
  const counts = { ...NONE };
  for (const { outcome } of results) {
    counts[outcome] += 1;
    counts.total += 1;
  }
  return counts;
}

/** States in which an operator may do this to a job, and the state that follows. */
export const JOB_MOVES: Record<
  "pause" | "resume" | "abort" | "approve",
  { from: ReplayState[]; to: ReplayState }
> = {
  pause: { from: ["running"], to: "paused" },
  resume: { from: ["paused", "failed"], to: "running" },
  abort: { from: ["awaiting_approval", "running", "paused", "failed"], to: "aborted" },
  approve: { from: ["awaiting_approval"], to: "running" },
};
