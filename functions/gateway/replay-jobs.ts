import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import { editMessage, expectEdit } from "#lib/agents/dlq/edit-payload.ts";
import { type ExpectedReplay, expectReplay } from "#lib/agents/dlq/expect-replay.ts";
import { COUNTED_MAX, type ListedFailure, openFailures } from "#lib/agents/dlq/failure-lists.ts";
import { failureName, failurePlace, UNKNOWN_TENANT } from "#lib/agents/dlq/failure-name.ts";
import { isOpen, readFailure } from "#lib/agents/dlq/failure-store.ts";
import { canMove } from "#lib/agents/dlq/move-queue.ts";
import { redacted } from "#lib/agents/dlq/redact-values.ts";
import {
  countResults,
  createJob,
  parseListedJob,
  readJob,
  walkResults,
} from "#lib/agents/dlq/replay-job-store.ts";
import { sendReplayRun } from "#lib/agents/dlq/send-replay-run.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { REPLAY_JOB } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import { formatTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import { taskIdFrom } from "#lib/work/tasks/task-id.ts";
import type {
  ReplayList,
  ReplayPreview,
  ReplayRequest,
  ReplayResultList,
  ReplayResultView,
  ReplayView,
} from "#schemas/http/replays.ts";
import type { ReplayJobRecord } from "#schemas/records/replay.ts";
import type { Administrator } from "./administrator.ts";
import type { Viewer } from "./failures.ts";
import type { GatewayPorts } from "./ports.ts";
import type { ReplayQuery, ReplayResultQuery } from "./queries.ts";

/** An operator who creates or commands a job. */
export interface Operator extends Viewer, Pick<Administrator, "subject" | "audited"> {
  is_admin: boolean;
  trace: TraceContext;
  log: Log;
}

/** Failures whose replay a dry run looks into. Of more it says how many there are. */
const EXAMINED_MAX = 2000;
const SHOWN_MAX = 500;
const AT_ONCE = 20;

/** The open failures that a request selects now, the earliest first. */
async function selected(viewer: Viewer, { selection }: ReplayRequest, ports: GatewayPorts) {
  if (selection.failures) {
    const places = [...new Set(selection.failures)]
      .map(failurePlace)
      .filter((one) => viewer.sees_all || one.tenant === viewer.tenant);
    const found = await Promise.all(
      places.map(async (place) => {
        const record = await readFailure(place.tenant, place.failure_id, ports);
        return record && isOpen(record) ? [{ ...place, record, position: "" }] : [];
      }),
    );
    return { found: found.flat(), truncated: false };
  }
  const scope = viewer.sees_all ? ({ all: true } as const) : { tenant: viewer.tenant };
  return openFailures(
    scope,
    selection.filter ?? {},
    { order: "earliest", limit: selection.limit ?? COUNTED_MAX },
    ports,
  );
}

function needsApproval({ action }: ReplayRequest, matched: number, ports: GatewayPorts): boolean {
  return action !== "replay" && matched > ports.replays().approval_messages_max;
}

const DIFFS_MAX = 50;
const DIFF_CHARACTERS_MAX = 4000;

/** Says what a job would do, message by message. Writes nothing. */
export async function previewJob(
  viewer: Viewer,
  request: ReplayRequest,
  ports: GatewayPorts,
): Promise<ReplayPreview> {
  checkRequest(viewer, request, ports);
  const { found, truncated } = await selected(viewer, request, ports);
  const visible = found.filter((one) => isVisible(viewer, one));
  const examined = visible.slice(0, EXAMINED_MAX);
  const messages: ReplayPreview["messages"] = [];
  const by_expectation: Record<string, number> = {};
  for (let start = 0; start < examined.length; start += AT_ONCE) {
    const batch = examined.slice(start, start + AT_ONCE);
    const expected = await Promise.all(batch.map((one) => expectAction(request, one, ports)));
    for (const [index, failure] of batch.entries()) {
      const one = expected[index];
      if (!one) continue;
      by_expectation[one.expectation] = (by_expectation[one.expectation] ?? 0) + 1;
      const { service: queue, code } = failure.record;
      if (messages.length >= SHOWN_MAX) continue;
      const diff = messages.length < DIFFS_MAX ? (one.diff?.slice(0, DIFF_CHARACTERS_MAX) ?? null) : null;
      messages.push({ failure: failureName(failure), queue, code, ...one, diff });
    }
  }
  const rest = visible.length - examined.length;
  if (rest > 0) by_expectation.not_examined = rest;
  return {
    action: request.action,
    matched: visible.length,
    truncated,
    needs_approval: needsApproval(request, visible.length, ports),
    by_expectation,
    messages,
    as_of: instant(ports.runtime.now()),
  };
}

async function expectAction(
  { action, patch }: ReplayRequest,
  failure: ListedFailure,
  ports: GatewayPorts & ReplayPorts,
): Promise<ExpectedReplay & { diff?: string | undefined }> {
  if (action === "replay") return expectReplay(failure, ports.replays(), ports);
  if (action === "edit") {
    const made = await editMessage(failure, { patch }, ports);
    if (!("refused" in made)) return { ...(await expectEdit(failure, ports)), diff: made.diff };
    return { expectation: "not_possible", reason: made.refused, says: made.says, diff: made.diff };
  }
  return { expectation: "run", reason: "FAILURE_DISCARDED", says: "it is given up and its message deleted" };
}

function isVisible({ tenant, sees_all }: Viewer, failure: ListedFailure): boolean {
  return sees_all || !(tenant === UNKNOWN_TENANT && failure.record.task_id === undefined);
}

/** Throws HttpError 403 `SCOPE_MISSING`, `OPERATOR_TENANT_REQUIRED`, 422 `WHY_REQUIRED`, `MOVE_NOT_POSSIBLE`. */
function checkRequest(viewer: Viewer, request: ReplayRequest, ports: GatewayPorts): void {
  const { action, method, selection } = request;
  if (method !== "move") return;
  const { queue, ...rest } = selection.filter ?? {};
  const whole_queue = action === "replay" && queue !== undefined && Object.keys(rest).length === 0;
  if (!whole_queue || !ports.services().includes(queue)) {
    const said = 'a move takes one whole queue: selection {"filter": {"queue": "…"}} with action replay';
    throw new HttpError("MOVE_NOT_POSSIBLE", said);
  }
  if (viewer.sees_all) return;
  const said = "a move takes messages of all tenants; only operators of operator_tenants may order it";
  throw new HttpError("OPERATOR_TENANT_REQUIRED", said);
}

/**
 * Creates a job and sends its first message. A repeat with the same Idempotency-Key finds the job that the first
 * one created.
 *
 * @throws HttpError 403, 422; 422 `IDEMPOTENCY_MISMATCH` when the key was used for another request
 */
export async function createReplay(
  operator: Operator,
  request: ReplayRequest,
  key: string | undefined,
  ports: GatewayPorts,
): Promise<ReplayView> {
  checkRequest(operator, request, ports);
  const { action, selection, why, method } = request;
  if (action === "discard" && !operator.is_admin) {
    throw new HttpError("SCOPE_MISSING", "a discard needs the scope admin beside operate");
  }
  if (action !== "replay" && why === undefined) {
    const does = action === "edit" ? "edited" : "given up";
    throw new HttpError("WHY_REQUIRED", `say in \`why\` why the messages are ${does}`);
  }
  if (method === "move" && !(await canMove(selection.filter?.queue ?? "", ports))) {
    const said = "this SQS endpoint has no StartMessageMoveTask; replay the queue with method each";
    throw new HttpError("MOVE_NOT_POSSIBLE", said);
  }
  const matched = action === "replay" ? undefined : (await selected(operator, request, ports)).found.length;
  const job = newJob(operator, request, { key, matched }, ports);
  const detail = {
    why: why ?? "",
    method,
    selection: JSON.stringify(selection),
    rate_per_second: request.rate_per_second,
    ...(request.patch && { patch_hash: sourceHash(JSON.parse(JSON.stringify(request.patch))) }),
  };
  return operator.audited({ action: `dlq.${action}`, target: job.replay_id, detail }, async () => {
    const created = await createJob(job, ports);
    if (created.request_hash !== job.request_hash) {
      throw new HttpError("IDEMPOTENCY_MISMATCH", "this Idempotency-Key was used for another replay job");
    }
    await start(created, operator, ports);
    return replayView(created, ports);
  });
}

/** Sends the message of a job that runs. It may be lost: the sweeper sends it again. */
export async function start(
  job: ReplayJobRecord,
  { trace, log }: Operator,
  ports: GatewayPorts,
): Promise<void> {
  if (job.state !== "running") return;
  await sendReplayRun(job, ports, trace).catch((error: unknown) =>
    log.warn("NUDGE_LOST", `the sweeper will send it: ${String(error)}`, { replay_id: job.replay_id }),
  );
}

function newJob(
  { tenant, sees_all, subject, trace }: Operator,
  request: ReplayRequest,
  { key, matched }: { key: string | undefined; matched: number | undefined },
  ports: GatewayPorts,
): ReplayJobRecord {
  const now = ports.runtime.now();
  const { dry_run: _, why, patch, ...orders } = request;
  const waits = needsApproval(request, matched ?? 0, ports);
  return {
    ...orders,
    ...(why !== undefined && { why }),
    ...(patch !== undefined && { patch: JSON.stringify(patch) }),
    ...(matched !== undefined && { matched }),
    ...(waits && { approval_asked_at: instant(now) }),
    replay_id: taskIdFrom(tenant, key ?? ports.runtime.hex(16)).replace(/^task_/, "replay_"),
    tenant,
    all_tenants: sees_all,
    state: waits ? "awaiting_approval" : "running",
    run: 1,
    dispatch_count: 0,
    truncated: false,
    counts: countResults([]),
    request_hash: sourceHash(JSON.parse(JSON.stringify(request))),
    traceparent: formatTraceparent(trace),
    created_at: instant(now),
    created_by: subject,
    updated_at: instant(now),
    expires_at: expiryOf(REPLAY_JOB, now),
  };
}

/** A job as the API shows it. */
export function replayView(job: ReplayJobRecord, ports: Pick<GatewayPorts, "replays">): ReplayView {
  const { replay_id, tenant, action, method, state, selection, rate_per_second, concurrency } = job;
  const {
    stop_on_failure_share,
    stop_on_open_circuit,
    truncated,
    counts,
    created_at,
    created_by,
    updated_at,
  } = job;
  return {
    replay_id,
    tenant,
    action,
    method,
    state,
    because: job.because ?? null,
    says: job.says ?? null,
    selection,
    patch: (redacted(JSON.parse(job.patch ?? "null")) as ReplayView["patch"]) ?? null,
    why: job.why ?? null,
    matched: job.matched ?? null,
    rate_per_second,
    concurrency,
    stop_on_failure_share,
    stop_on_open_circuit,
    truncated,
    counts,
    created_at,
    created_by,
    approved_by: job.approved_by ?? null,
    approve_before: state === "awaiting_approval" ? instant(approvalEnds(job, ports)) : null,
    updated_at,
    ended_at: job.ended_at ?? null,
  };
}

/** Unix ms from which on a job that waits for approval cannot be approved any more. */
export function approvalEnds(
  { approval_asked_at, created_at }: ReplayJobRecord,
  { replays }: Pick<GatewayPorts, "replays">,
): number {
  return Date.parse(approval_asked_at ?? created_at) + replays().approval_seconds_max * 1000;
}

/** A job of the caller's tenant. Throws HttpError 404 `REPLAY_NOT_FOUND`, for another tenant's too. */
export async function findReplay(
  tenant: string,
  replay_id: string,
  ports: GatewayPorts,
): Promise<ReplayJobRecord> {
  const job = await readJob({ tenant, replay_id }, ports);
  if (job) return job;
  throw new HttpError(
    "REPLAY_NOT_FOUND",
    `there is no replay job ${replay_id}; agents replays list shows yours`,
  );
}

/** The tenant's jobs, newest first. */
export async function listReplays(
  tenant: string,
  query: ReplayQuery,
  ports: GatewayPorts,
): Promise<ReplayList> {
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const job = parseListedJob(item);
    return isExpired(job, now) ? undefined : replayView(job, ports);
  };
  const page = await queryPage(
    listOf(REPLAY_JOB, "by_tenant", { tenant }),
    { ...query, filters: {}, read },
    ports,
  );
  return { replays: page.rows, next_cursor: page.next_cursor };
}

/** What a job did, message by message, in its order. */
export async function listResults(
  tenant: string,
  replay_id: string,
  { limit, cursor, outcome }: ReplayResultQuery,
  ports: GatewayPorts,
): Promise<ReplayResultList> {
  const job = await findReplay(tenant, replay_id, ports);
  const results: ReplayResultView[] = [];
  let last: string | undefined;
  for await (const one of walkResults(job, ports, cursor)) {
    if (results.length === limit) return { results, next_cursor: last ?? null };
    last = one.order;
    if (outcome !== undefined && one.outcome !== outcome) continue;
    results.push({
      failure: failureName({ tenant: one.failure_tenant, failure_id: one.failure_id }),
      queue: one.service,
      outcome: one.outcome,
      reason: one.reason ?? null,
      says: one.says ?? null,
      task_id: one.task_id ?? null,
      message_id: one.message_id ?? null,
      at: one.at ?? null,
    });
  }
  return { results, next_cursor: null };
}
