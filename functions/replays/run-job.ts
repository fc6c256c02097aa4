import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import { COUNTED_MAX } from "#lib/agents/dlq/failure-lists.ts";
import { moveQueue } from "#lib/agents/dlq/move-queue.ts";
import {
  addResult,
  countResults,
  moveJob,
  noteResult,
  orderOf,
  readJob,
  walkResults,
} from "#lib/agents/dlq/replay-job-store.ts";
import { sweepDeadLetters } from "#lib/agents/dlq/sweep-dead-letters.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { ParkedFault } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { listCircuits } from "#lib/resilience/circuit/circuit-table.ts";
import type { ReplaysInput } from "#schemas/messages/replays.ts";
import type { ReplayJobRecord, ReplayResultRecord } from "#schemas/records/replay.ts";
import type { ReplayJobPorts } from "./ports.ts";
import { selectFailures } from "./select-failures.ts";
import { actOnFailure, endOfWork } from "./take-failure.ts";

type Context = Pick<AgentContext, "runtime" | "signal" | "log" | "envelope">;
type Result = AgentResult<{ state: string }>;

/** One invocation works so long at most, then the run goes on in another one. Well below the function's timeout. */
const SLICE_MS = 300_000;
/** How often the job is read and its counts are written. */
const CHECK_MS = 1000;
/** Works that ended are needed before their share of failures says anything. */
const ENDED_MIN = 5;

/** A run as its worker holds it: the job as it was last read, and its results. */
interface Run {
  job: ReplayJobRecord;
  results: ReplayResultRecord[];
  /** Unix ms at which the last message was sent. */
  sent_at_ms: number;
}

/**
 * Works on a job until it has ended, is paused or aborted, or this invocation's time is over. Everything it has done
 * stands in the results of the job, so a run that is killed goes on where it was: a failure is taken once more at
 * most, and then its record and its task's ledger say that it was replayed.
 *
 * @throws ParkedFault `REPLAY_CONTINUES` when the run goes on in another invocation
 */
export async function runJob(
  { replay_id, run }: ReplaysInput,
  context: Context,
  ports: ReplayJobPorts,
): Promise<Result> {
  const place = { tenant: context.envelope.tenant, replay_id };
  const read = await readJob(place, ports);
  if (read?.state !== "running" || read.run !== run) return ended(read?.state ?? "aborted");
  const job = await planned(read, ports);
  if (job?.state !== "running") return ended(job?.state ?? "paused");
  if (job.method === "move") return moveWholeQueue(job, context, ports);
  const results: ReplayResultRecord[] = [];
  for await (const result of walkResults(job, ports)) results.push(result);
  const state: Run = { job, results, sent_at_ms: lastSent(results, ports.runtime.now()) };
  return work(state, context, ports);
}

const ended = (state: string): Result => ({ verdict: "passed", output: { state } });

function lastSent(results: ReplayResultRecord[], now_ms: number): number {
  const times = results.flatMap(({ outcome, at }) => (outcome === "sent" && at ? [Date.parse(at)] : []));
  return times.length > 0 ? Math.max(...times) : now_ms;
}

/**
 * Writes down which failures the job takes, once. Killed in between, it is done again: the failures that were
 * written keep their place, and those that are settled since are found to be. A job that would change more failures
 * than one operator may, and than were approved, takes none and waits for approval.
 */
async function planned(job: ReplayJobRecord, ports: ReplayJobPorts): Promise<ReplayJobRecord | undefined> {
  if (job.planned_at !== undefined) return job;
  const { found, truncated } = await selectFailures(job, ports);
  const open = found.filter(({ is_open }) => is_open).length;
  if (job.action !== "replay" && open > allowed(job, ports)) return askAgain(job, open, ports);
  const known = new Set<string>();
  let count = 0;
  for await (const { failure_tenant, failure_id } of walkResults(job, ports)) {
    known.add(`${failure_tenant} ${failure_id}`);
    count += 1;
  }
  const missing = found.filter(({ tenant, failure_id }) => !known.has(`${tenant} ${failure_id}`));
  for (let start = 0; start < missing.length; start += WRITES_AT_ONCE) {
    const batch = missing.slice(start, start + WRITES_AT_ONCE);
    await Promise.all(
      batch.map(({ tenant, failure_id, service, task_id }, index) => {
        const order = orderOf(count + start + index + 1);
        const place = { order, failure_tenant: tenant, failure_id, service, ...(task_id && { task_id }) };
        return addResult(job, { ...place, outcome: "pending" }, ports);
      }),
    );
  }
  const counts = { ...countResults([]), total: count + missing.length, pending: count + missing.length };
  return moveJob(job, { planned_at: instant(ports.runtime.now()), truncated, counts }, ports);
}

/** Failures that a job may change with what was approved so far. */
function allowed({ approved_by, matched = 0 }: ReplayJobRecord, { replays }: ReplayJobPorts): number {
  const { approval_messages_max } = replays();
  return approved_by === undefined ? approval_messages_max : Math.max(approval_messages_max, matched);
}

function askAgain(
  job: ReplayJobRecord,
  matched: number,
  ports: ReplayJobPorts,
): Promise<ReplayJobRecord | undefined> {
  const says = `its selection holds ${matched} failures, ${allowed(job, ports)} were allowed`;
  const approval_asked_at = instant(ports.runtime.now());
  const asks = { state: "awaiting_approval" as const, matched, approval_asked_at, approved_by: undefined };
  return moveJob(job, { ...asks, because: "SELECTION_CHANGED", says }, ports);
}

const WRITES_AT_ONCE = 25;

async function work(run: Run, context: Context, ports: ReplayJobPorts): Promise<Result> {
  const { runtime } = ports;
  const slice_ends_ms = runtime.now() + SLICE_MS;
  let checked_ms = runtime.now() - CHECK_MS;
  let due_ms = runtime.now();
  for (;;) {
    context.signal.throwIfAborted();
    const now = runtime.now();
    if (now - checked_ms >= CHECK_MS) {
      checked_ms = now;
      await lookAtSent(run, ports);
      const stopped = await checkpoint(run, ports);
      if (stopped) return ended(stopped);
    }
    const batch = run.results.filter(({ outcome }) => outcome === "pending").slice(0, atOnce(run.job));
    if (batch.length === 0 && !awaitsWork(run, ports)) return complete(run, context, ports);
    if (now >= slice_ends_ms) {
      await checkpoint(run, ports);
      throw new ParkedFault("REPLAY_CONTINUES", "the job goes on in another invocation", {
        retry_at_ms: now,
        spread: true,
      });
    }
    const wait_ms = batch.length === 0 ? CHECK_MS : Math.min(due_ms - now, CHECK_MS);
    if (wait_ms > 0) {
      await runtime.sleep(wait_ms, context.signal);
      continue;
    }
    due_ms = Math.max(now, due_ms) + (batch.length * 1000) / run.job.rate_per_second;
    await takeBatch(run, batch, ports);
  }
}

/** No more at once than the rate gives a second. */
function atOnce({ concurrency, rate_per_second }: ReplayJobRecord): number {
  return Math.max(1, Math.min(concurrency, Math.floor(rate_per_second)));
}

async function takeBatch(run: Run, batch: ReplayResultRecord[], ports: ReplayJobPorts): Promise<void> {
  await Promise.all(
    batch.map(async (result) => {
      const outcome = await actOnFailure(run.job, result, ports);
      await noteResult(run.job, result, outcome, ports);
      Object.assign(result, outcome);
      if (outcome.outcome === "sent") run.sent_at_ms = ports.runtime.now();
    }),
  );
}

/** How many results are asked for their work's end at a time. */
const LOOKED_AT_MAX = 25;

/** Notes the end of work that was sent, where it has ended. The results that were asked go to the end of the line. */
async function lookAtSent(run: Run, ports: ReplayJobPorts): Promise<void> {
  const sent = run.results.filter(
    ({ outcome, replay_count }) => outcome === "sent" && replay_count !== undefined,
  );
  const asked = sent.slice(0, LOOKED_AT_MAX);
  await Promise.all(
    asked.map(async (result) => {
      const outcome = await endOfWork(result, ports);
      if (!outcome) return;
      await noteResult(run.job, result, { outcome }, ports);
      result.outcome = outcome;
    }),
  );
  const waiting = asked.filter(({ outcome }) => outcome === "sent");
  run.results = [...run.results.filter((one) => !waiting.includes(one)), ...waiting];
}

function awaitsWork({ results, sent_at_ms }: Run, ports: ReplayJobPorts): boolean {
  const open = results.some(({ outcome, replay_count }) => outcome === "sent" && replay_count !== undefined);
  return open && ports.runtime.now() - sent_at_ms < ports.replays().await_seconds_max * 1000;
}

/**
 * Writes the counts and reads the operator's orders. Pauses the job when one of its conditions says so. Returns the
 * job's state when this run is to end.
 */
async function checkpoint(run: Run, ports: ReplayJobPorts): Promise<string | undefined> {
  const counts = countResults(run.results);
  const pending = counts.pending > 0;
  const stop = pending ? ((await openCircuit(run, ports)) ?? failing(run.job, counts)) : undefined;
  const changes = stop ? { counts, state: "paused" as const, ...stop } : { counts };
  const moved = await moveJob(run.job, changes, ports);
  if (moved) run.job = moved;
  if (moved) return stop && "paused";
  const found = await readJob(run.job, ports);
  return found?.run === run.job.run ? found.state : "paused";
}

interface Stop {
  because: ErrorCode;
  says: string;
}

function failing(
  { stop_on_failure_share }: ReplayJobRecord,
  { succeeded, failed_again }: { succeeded: number; failed_again: number },
): Stop | undefined {
  const of = succeeded + failed_again;
  if (stop_on_failure_share === null || of < ENDED_MIN) return undefined;
  if (failed_again / of < stop_on_failure_share) return undefined;
  return { because: "REPLAY_FAILING", says: `${failed_again} of ${of} that have ended failed again` };
}

async function openCircuit({ job, results }: Run, ports: ReplayJobPorts): Promise<Stop | undefined> {
  if (!job.stop_on_open_circuit || job.action === "discard") return undefined;
  const services = new Set(
    results.flatMap(({ outcome, service }) => (outcome === "pending" ? [service] : [])),
  );
  const open = (await listCircuits(ports)).find(({ record }) => {
    const [service = ""] = record.key.split(".");
    const is_open = record.forced ? record.forced.state === "open" : record.state === "open";
    const is_theirs = record.tenant === undefined || job.all_tenants || record.tenant === job.tenant;
    return is_open && is_theirs && services.has(service);
  });
  if (!open) return undefined;
  const says = `the circuit ${open.record.key} is open; resume the job when it has closed`;
  return { because: "REPLAY_CIRCUIT_OPEN", says };
}

/** Ends a job that has nothing left to do, and clears the queues of the messages that it settled. */
async function complete(run: Run, { log }: Context, ports: ReplayJobPorts): Promise<Result> {
  const counts = countResults(run.results);
  const done = { state: "completed" as const, counts, ended_at: instant(ports.runtime.now()) };
  const services = new Set(run.results.map(({ service }) => service));
  for (const service of ports.services().filter((one) => services.has(one)))
    await sweepDeadLetters(service, ports);
  if (!(await moveJob(run.job, done, ports))) return ended((await checkpoint(run, ports)) ?? "running");
  log.info("REPLAY_ENDED", `replay job ${run.job.replay_id} has ended`, { ...counts });
  return ended("completed");
}

/** Lets SQS move a whole queue. What it needs is prepared again when it was killed in between. */
async function moveWholeQueue(
  job: ReplayJobRecord,
  { log }: Context,
  ports: ReplayJobPorts,
): Promise<Result> {
  const service = job.selection.filter?.queue ?? "";
  await sweepDeadLetters(service, ports);
  const limits = {
    limit: job.selection.limit ?? COUNTED_MAX,
    replays_max: ports.replays().replays_per_message_max,
  };
  const { moved, removed, kept } = await moveQueue(service, limits, ports);
  const counts = { ...countResults([]), total: moved + removed + kept, sent: moved, removed, kept };
  await moveJob(job, { state: "completed", counts, ended_at: instant(ports.runtime.now()) }, ports);
  log.info("REPLAY_ENDED", `replay job ${job.replay_id} has ended`, { ...counts });
  return ended("completed");
}
