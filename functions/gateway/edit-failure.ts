import { createTwoFilesPatch } from "diff";
import { z } from "zod";
import { readEnvelope } from "#lib/agents/dlq/dead-letter-queue.ts";
import { type ExpectedReplay, expectReplay } from "#lib/agents/dlq/expect-replay.ts";
import { isOpen } from "#lib/agents/dlq/failure-store.ts";
import { failedMessage, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import { agentMessages } from "#lib/platform/config/agent-messages.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { idempotencyKey } from "#lib/platform/hash/source-hash.ts";
import { stepSourceHash } from "#lib/platform/messages/envelope.ts";
import { readPayload } from "#lib/platform/messages/send-envelope.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import type { FailureEdit, FailureEdited } from "#schemas/http/dead-letters.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { Administrator } from "./administrator.ts";
import { redacted } from "./failure-detail.ts";
import { findFailureOf, type Viewer } from "./failures.ts";
import type { GatewayPorts } from "./ports.ts";

/** The step's record keeps an edited payload; a ledger is read often. */
const PAYLOAD_BYTES_MAX = 65_536;

/**
 * Replays one failure with another payload. The failure's record keeps the original message; the new one names it in
 * `replay_of`, and the step's record keeps the new payload, with which the orchestrator sends the step again from
 * then on. Refuses a payload that the agent's input schema does not take.
 *
 * @throws HttpError 404 `FAILURE_NOT_FOUND`, 409 `EDIT_NOT_POSSIBLE`, 422 `BODY_INVALID`, 413 `BODY_TOO_LARGE`
 */
export async function editFailure(
  viewer: Viewer & Pick<Administrator, "audited">,
  name: string,
  { payload, why, dry_run }: FailureEdit,
  ports: GatewayPorts,
): Promise<FailureEdited> {
  const failure = await findFailureOf(viewer, name, ports);
  const original = readEnvelope(failure.record.body);
  if (!isOpen(failure.record)) throw notPossible("the failure was replayed, resolved or discarded before");
  if (!original) throw notPossible("its message is no envelope; send the work again instead");
  checkPayload(failure.record.service, payload);
  const edited = editedEnvelope(original, payload);
  const diff = payloadDiff(await readPayload(original, ports), payload);
  const expected = await expectReplay(failure, { replays_per_message_max: Number.POSITIVE_INFINITY }, ports);
  const shown = { failure: name, diff };
  if (dry_run) return { ...shown, ...expectedOfEdit(expected), sent: false, message_id: null };
  const detail = { why, task_id: original.task_id, payload_hash: edited.source_hash };
  return viewer.audited({ action: "dlq.edit", target: name, detail }, async () => {
    const done = await replayMessage(failedMessage(failure), ports, edited);
    const { did, reason, sentence: says, message_id = null } = done;
    if (did !== "sent") throw notPossible(says);
    return { ...shown, expectation: "run", reason, says, sent: true, message_id };
  });
}

/** An edit needs a step that is re-armed. What a plain replay would send unchanged is not possible. */
function expectedOfEdit(expected: ExpectedReplay): ExpectedReplay {
  if (expected.expectation !== "run" || expected.reason !== "MESSAGE_SENT") return expected;
  const says = "the step has not ended, so it keeps its input; replay it unchanged";
  return { expectation: "not_possible", reason: "STEP_NOT_DUE", says };
}

function notPossible(says: string): HttpError {
  return new HttpError(409, "EDIT_NOT_POSSIBLE", says);
}

function checkPayload(service: string, payload: unknown): void {
  const schema = Object.hasOwn(agentMessages, service) ? agentMessages[service]?.Input : undefined;
  if (!schema || service === WEBHOOKS) throw notPossible(`the messages of ${service} cannot be edited`);
  if (Buffer.byteLength(JSON.stringify(payload)) > PAYLOAD_BYTES_MAX) {
    throw new HttpError(413, "BODY_TOO_LARGE", `an edited payload has ${PAYLOAD_BYTES_MAX} bytes at most`);
  }
  const parsed = schema.safeParse(payload);
  if (parsed.success) return;
  const errors = parsed.error.issues.slice(0, 20).map(({ path, message }) => ({
    path: `/payload/${path.map(String).join("/")}`.slice(0, 300),
    message: message.slice(0, 500),
  }));
  const said = `the payload is no input of ${service}: ${z.prettifyError(parsed.error).slice(0, 500)}`;
  throw new HttpError(422, "BODY_INVALID", said, errors);
}

function editedEnvelope({ payload_ref: _, ...original }: Envelope, payload: unknown): Envelope {
  const source_hash = stepSourceHash(original.service, payload);
  return { ...original, payload, source_hash, idempotency_key: idempotencyKey({ ...original, source_hash }) };
}

/** A unified diff of two payloads as sorted and indented JSON, without what looks like a secret. */
function payloadDiff(before: unknown, after: unknown): string {
  const text = (value: unknown) => `${JSON.stringify(sorted(redacted(value)), null, 2)}\n`;
  if (text(before) === text(after)) return "";
  return createTwoFilesPatch("original", "edited", text(before), text(after), "", "", { context: 3 });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, one]) => [name, sorted(one)]));
}
