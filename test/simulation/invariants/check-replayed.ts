import { stateOf } from "#lib/agents/dlq/failure-lists.ts";
import { isOpen } from "#lib/agents/dlq/failure-store.ts";
import { failedMessage, previewReplay } from "#lib/agents/dlq/replay-message.ts";
import { sweepDeadLetters } from "#lib/agents/dlq/sweep-dead-letters.ts";
import { FAILURE } from "#lib/platform/table/items.ts";
import { recordFields, sortFields } from "#lib/platform/table/keys.ts";
import { FailureRecord } from "#schemas/records/failure.ts";
import type { ReplayJobRecord, ReplayResultRecord } from "#schemas/records/replay.ts";
import type { World } from "../engine/world.ts";
import type { Stack } from "../workload/stack.ts";

/** Every task and step as they stand. */
export function ledgersOf({ table }: World): string {
  const items = [...table.items()].filter(({ pk }) => String(pk).startsWith("TASK#"));
  return JSON.stringify(items.sort((a, b) => (`${a.pk}${a.sk}` < `${b.pk}${b.sk}` ? -1 : 1)));
}

function failuresOf({ table }: World) {
  return [...table.items()]
    .filter(({ pk }) => String(pk).startsWith("FAILURE#"))
    .map((item) => {
      const record = FailureRecord.parse(recordFields(item));
      return {
        tenant: record.tenant,
        failure_id: sortFields(FAILURE, item).failure_id,
        record,
        position: "",
      };
    });
}

/** What holds when everything was replayed, and again, without a change. */
export async function checkReplayed(world: World, stack: Stack): Promise<void> {
  const { platform, invocation } = stack.invoke("dlq-sweeper", Number.MAX_SAFE_INTEGER);
  for (const failure of failuresOf(world).filter(({ record }) => isOpen(record))) {
    world.count("failures kept");
    const plan = await previewReplay(failedMessage(failure), platform);
    const spent = stateOf(failure.record, platform.replays()) === "permanently_failed";
    if (!spent && plan.kind !== "keep")
      world.violate(
        "nothing that can be replayed is left",
        `${failure.failure_id}: ${plan.kind} ${plan.reason}`,
      );
  }
  checkJobs(world);
  for (const service of platform.services()) await sweepDeadLetters(service, platform);
  checkQueues(world);
  invocation.state = "ended";
  world.invocations.delete(invocation);
}

/** A job that is completed has dealt with each of its failures, and with each once. */
function checkJobs({ table, violate, count }: World): void {
  const items = [...table.items()];
  for (const job of items.filter(({ sk }) => sk === "JOB") as unknown as (ReplayJobRecord & {
    pk: string;
  })[]) {
    count(`jobs ${job.state}`);
    const results = items.filter(
      ({ pk, sk }) => pk === job.pk && String(sk).startsWith("RESULT#"),
    ) as unknown as ReplayResultRecord[];
    for (const { outcome } of results) count(`results ${outcome}`);
    const names = new Set(results.map(({ failure_tenant, failure_id }) => `${failure_tenant} ${failure_id}`));
    if (names.size < results.length) violate("a job takes a failure once", job.replay_id);
    if (job.state !== "completed" && job.state !== "aborted") {
      violate("every replay job ends", `${job.replay_id} is ${job.state}: ${job.says}`);
    }
    if (job.state === "completed" && results.some(({ outcome }) => outcome === "pending")) {
      violate("a completed job has taken all it took down", job.replay_id);
    }
  }
}

/** Records and queues agree: the messages that are left are those of the open failures. */
function checkQueues(world: World): void {
  const left = new Map<string, number>();
  for (const { tenant, failure_id, record } of failuresOf(world)) {
    if (isOpen(record)) left.set(`${record.service}-dlq ${tenant} ${failure_id}`, 0);
  }
  for (const { name, messages } of world.queues.values()) {
    if (!name.endsWith("-dlq")) continue;
    for (const { attributes } of messages.values()) {
      const failure = `${name} ${attributes.tenant} ${attributes.failure_id}`;
      const copies = left.get(failure);
      if (copies === undefined) world.violate("a dead letter has an open failure", failure);
      else left.set(failure, copies + 1);
    }
  }
  for (const [failure, copies] of left) {
    if (copies === 0) world.violate("an open failure has its dead letter", failure);
  }
}
