import type { Lease } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { Change } from "../dynamodb/table.ts";
import { equalValues } from "../dynamodb/values.ts";
import type { Invocation } from "../engine/invocation.ts";
import type { World } from "../engine/world.ts";

const ENDED = ["completed", "canceled"];

/** Invariants of step records, checked at every write that takes. */
export function watchSteps(world: World) {
  const effects = new Map<string, Lease>();

  const onEffect = ({ task_id, step, round }: ClaimKey, lease: Lease, { number }: Invocation) => {
    const name = `${task_id} ${step} ${round}, replay ${lease.replay_count}`;
    const before = effects.get(name);
    if (before && before.owner !== lease.owner) {
      world.violate("one effect a step round", `${name}: done under ${before.owner} and by ${number}`);
    }
    effects.set(name, lease);
    world.count("effects");
  };

  /** Of a task's own steps, which rest when it has ended. */
  const onWrite = (change: Change, writer: Invocation) => {
    if (isReplay(world, change) || isKept(change)) return;
    checkTaskOpen(world, change.key, change.after as unknown as StepRecord);
    checkAwaited(world, change);
    checkWrite(change, writer);
  };
  /** Of what is claimed as steps are, beside the ledger. The sweeper notes when to look again. */
  const onDeliveryWrite = (change: Change, writer: Invocation) => {
    const { before, after } = change;
    const swept = before && after.gsi2sk !== undefined && before.gsi2sk !== after.gsi2sk;
    if (!swept) checkWrite(change, writer);
  };
  const checkWrite = ({ key, before, after, input }: Change, writer: Invocation) => {
    const was = before as StepRecord | undefined;
    const is = after as unknown as StepRecord;
    const name = `${key.pk} ${key.sk}`;
    const values = input.ExpressionAttributeValues ?? {};
    if (values[":source_hash"] !== undefined && values[":source_hash"] !== is.source_hash) {
      if (is.status === "running") world.violate("a step runs one input", name);
    }
    if (!was) return;
    checkParking(world, name, was, is);
    if (ENDED.includes(was.status) && !(sameOutcome(was, is) && was.fence === is.fence)) {
      world.violate("an outcome never changes", `${name}: ${was.status} → ${is.status} by ${writer.number}`);
    }
    if (is.fence < was.fence) world.violate("fences grow", `${name}: ${was.fence} → ${is.fence}`);
    if (is.fence > was.fence) checkTakeover(world, name, was, is);
    else checkOwner(name, is, writer);
  };

  /** A write that is no claim: by whoever holds the lease, or the end of spent attempts. */
  const checkOwner = (name: string, is: StepRecord, writer: Invocation) => {
    if (is.status === "canceled" || is.outcome?.code === "ATTEMPTS_EXHAUSTED") return;
    if (is.owner.includes(`/${writer.id}/`)) return;
    world.violate("no fenced worker writes", `${name}: ${writer.number} is not ${is.owner}`);
  };
  return { onWrite, onDeliveryWrite, onEffect };
}

/** A step of a sealed task that is armed again by a replay: once for each of its failures. */
function isReplay(world: World, { key, before, after }: Change): boolean {
  const was = before as StepRecord | undefined;
  const { replays = [], status, fence } = after as unknown as StepRecord;
  if (!was || replays.length === (was.replays ?? []).length) return false;
  const name = `${key.pk} ${key.sk}`;
  const failures = replays.map(({ failure_id }) => failure_id);
  if (new Set(failures).size < failures.length) {
    world.violate("a failure is replayed once", `${name}: ${failures.join(", ")}`);
  }
  if (!ENDED.includes(was.status) || status !== "waiting" || fence <= was.fence) {
    world.violate("only an ended step is armed again", `${name}: ${was.status} → ${status}`);
  }
  const task = world.table.get({ pk: key.pk, sk: "TASK" });
  if (!task?.sealed_at) world.violate("only a sealed task is replayed", name);
  world.count("steps armed again");
  return true;
}

/** A write that only keeps the record for longer. */
function isKept({ before, after }: Change): boolean {
  return before !== undefined && equalValues({ ...before, expires_at: 0 }, { ...after, expires_at: 0 });
}

/** Parking takes the try back, and what waits is not claimed before its time. */
function checkParking(world: World, name: string, was: StepRecord, is: StepRecord): void {
  if (was.status === "running" && is.status === "waiting" && is.parked_at !== undefined) {
    world.count("steps parked");
    if (is.attempts !== was.attempts - 1) {
      world.violate("parked work spends no attempt", `${name}: ${was.attempts} → ${is.attempts}`);
    }
  }
  if (was.status !== "waiting" || is.status !== "running") return;
  const early_ms = (was.retry_at ?? 0) - world.scheduler.now();
  if (early_ms > world.faults.clock_skew_ms) {
    world.violate("what waits is run after its time", `${name}: ${early_ms} ms early`);
  }
}

/** A task that was canceled, or ended in another way, publishes nothing any more: its ledger rests. */
function checkTaskOpen(world: World, { pk, sk }: Change["key"], { status }: StepRecord): void {
  const task = world.table.get({ pk, sk: "TASK" });
  if (task?.ended_at) world.violate("an ended task's ledger rests", `${pk} ${sk} becomes ${status}`);
}

/** A step that another waits for has ended when that one is claimed: they would publish into one index. */
function checkAwaited(world: World, { key, before, after }: Change): void {
  const { step, status } = after as unknown as StepRecord;
  if (before || status !== "running") return;
  const { definition } = world.table.get({ pk: key.pk, sk: "TASK" }) as unknown as TaskRecord;
  for (const { step: awaited, beside } of definition.steps) {
    if (beside?.until !== step) continue;
    world.count("steps awaited");
    const record = world.table.get({ pk: key.pk, sk: `STEP#${awaited}#0` });
    if (record?.outcome === undefined) {
      world.violate("a step waits for what runs beside others", `${key.pk} ${step} before ${awaited}`);
    }
  }
}

function sameOutcome(was: StepRecord, is: StepRecord): boolean {
  return was.status === is.status && equalValues(was.outcome, is.outcome);
}

function checkTakeover(world: World, name: string, was: StepRecord, is: StepRecord): void {
  if (is.status === "canceled") world.count("steps canceled");
  if (is.status === "canceled" || was.status !== "running") return;
  world.count("leases taken over");
  const left_ms = was.lease_expires_at - world.scheduler.now();
  if (left_ms > 2 * world.faults.clock_skew_ms) {
    world.violate("a live lease is not taken", `${name}: ${left_ms} ms were left`);
  }
}
