import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFailures } from "#lib/agents/dlq/failure-lists.ts";
import { readFailure, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import { moveQueue } from "#lib/agents/dlq/move-queue.ts";
import { failedMessage, previewReplay, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import { sweepDeadLetters } from "#lib/agents/dlq/sweep-dead-letters.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { editedEnvelope } from "#lib/platform/messages/envelope.ts";
import { editedPayload } from "#lib/resilience/idempotency/step-item.ts";
import { Workflow } from "#schemas/config/workflows.ts";
import { crashing } from "../fakes/crashing-ports.ts";
import { replayStage } from "../fakes/replay-stage.ts";

let stage: Awaited<ReturnType<typeof replayStage>>;
let is_broken = true;
const only = Workflow.parse({
  description: "test",
  requires: [],
  steps: [{ agent: "worker", input: {}, step: "only" }],
});

beforeAll(async () => {
  stage = await replayStage(() => {
    if (is_broken) throw new TerminalFault("BLOB_CORRUPT", "the cause is not mended yet");
    return { verdict: "passed" };
  });
});
afterAll(() => stage?.close());
const open = async () => (await openFailures({ all: true }, {}, { order: "earliest" }, stage.ports)).found;
beforeEach(async () => {
  await stage.drain();
  for (const failure of await open())
    await settleFailure(failedMessage(failure), { as: "resolved" }, stage.ports);
});

/** A task that failed, the message that failed, and an edit of it. The cause is mended. */
async function failed() {
  is_broken = true;
  const { task_id } = await stage.submit(only);
  await stage.pump();
  is_broken = false;
  stage.effects.length = 0;
  const [failure] = await open();
  const message = failedMessage(failure!);
  const edit = {
    edited: editedEnvelope(message.envelope!, { right: true }),
    by: "key:1",
    why: "it was wrong",
  };
  return { task_id, message, edit };
}
const stepOf = async (task_id: string) => (await stage.ledger(task_id)).steps[0]!;
const recordOf = ({ tenant, failure_id }: { tenant: string; failure_id: string }) =>
  readFailure(tenant, failure_id, stage.ports);

describe("an edited replay", () => {
  it("runs the step once with the new payload, and keeps the original with who edited it and why", async () => {
    const { task_id, message, edit } = await failed();
    const { did, message_id } = await replayMessage(message, stage.ports, { edit, replay_id: "replay_1" });
    expect(did).toBe("sent");
    await stage.pump();
    expect((await stage.ledger(task_id)).task.status).toBe("succeeded");
    expect(stage.effects).toEqual(["only"]);
    const step = await stepOf(task_id);
    expect(step).toMatchObject({
      source_hash: edit.edited.source_hash,
      replays: [{ edited_payload: '{"right":true}' }],
    });
    expect(await recordOf(message)).toMatchObject({
      body: JSON.stringify(message.envelope),
      edit: { by: "key:1", why: "it was wrong" },
      settled_by: "replay_1",
      replayed_as: message_id,
    });
  });

  it.each(["before", "after"] as const)(
    "killed %s any of its writes goes on with its payload, when the failure is replayed as it is",
    async (gap) => {
      let writes = 1;
      for (let crashed = true; crashed; writes += 1) {
        const { task_id, message, edit } = await failed();
        const dying = crashing(stage.ports, { at: writes, gap });
        crashed = await dying.run((ports) => replayMessage(message, ports, { edit }));
        const is_edited = editedPayload(await stepOf(task_id)) !== undefined;
        await replayMessage(message, stage.ports);
        await stage.pump();
        const { task } = await stage.ledger(task_id);
        const step = await stepOf(task_id);
        const seen = [task.status, stage.effects, step.replays?.length, editedPayload(step)];
        const payload = is_edited ? '{"right":true}' : undefined;
        expect(seen, `write ${writes}`).toEqual(["succeeded", ["only"], 1, payload]);
        expect(await open(), `write ${writes}`).toEqual([]);
      }
      expect(writes).toBeGreaterThan(5);
    },
  );

  it("that was interrupted is not given another payload, and its old message is not moved back", async () => {
    const { task_id, message, edit } = await failed();
    await crashing(stage.ports, { at: 1, gap: "after" }).run((ports) =>
      replayMessage(message, ports, { edit }),
    );
    expect(await previewReplay(message, stage.ports)).toMatchObject({ kind: "reopen" });
    const other = { ...edit, edited: editedEnvelope(message.envelope!, { right: "perhaps" }) };
    expect(await replayMessage(message, stage.ports, { edit: other })).toMatchObject({
      did: "kept",
      reason: "STEP_NOT_DUE",
    });
    await sweepDeadLetters("worker", stage.ports);
    expect(await moveQueue("worker", { limit: 10, replays_max: 10 }, stage.ports)).toMatchObject({
      moved: 0,
      kept: 1,
    });
    expect(await replayMessage(message, stage.ports)).toMatchObject({ did: "sent" });
    await stage.pump();
    expect(editedPayload(await stepOf(task_id))).toBe('{"right":true}');
    expect((await stage.ledger(task_id)).task.status).toBe("succeeded");
  });
});
