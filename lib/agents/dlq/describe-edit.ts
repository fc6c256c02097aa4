import { type ReplayPorts, readEnvelope } from "#lib/agents/dlq/dead-letter-queue.ts";
import { payloadDiff } from "#lib/agents/dlq/edit-payload.ts";
import type { ListedFailure } from "#lib/agents/dlq/failure-lists.ts";
import { failureName } from "#lib/agents/dlq/failure-name.ts";
import { readFailure } from "#lib/agents/dlq/failure-store.ts";
import { stepSourceHash } from "#lib/platform/messages/envelope.ts";
import { readPayload } from "#lib/platform/messages/send-envelope.ts";
import type { FailureDetail } from "#schemas/http/dead-letters.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";
import type { StepRecord, StepReplay } from "#schemas/records/step.ts";

type Edited = StepReplay & { edited_payload: string };

/** How a failure is related to edits: `edited_from` and `edit` of its details. */
export type EditLineage = Pick<FailureDetail, "edited_from" | "edit">;

/**
 * The failure whose edited message failed here, and the edit to show: the one that was made of this message, or else
 * the one that made it. The step's record keeps the edited payloads, the record of the failure that was edited its
 * original message.
 */
export async function describeEdit(
  { tenant, failure_id, record }: ListedFailure,
  step: StepRecord | undefined,
  ports: ReplayPorts,
): Promise<EditLineage> {
  const replays = step?.replays ?? [];
  const place = replays.findIndex((replay) => replay.failure_id === failure_id);
  const own = replays[place];
  const envelope = readEnvelope(record.body);
  const made = replays
    .slice(0, place < 0 ? undefined : place)
    .filter(isEdit)
    .findLast((edit) => envelope && madeBy(edit, envelope));
  const edited_from = made ? failureName({ tenant, failure_id: made.failure_id }) : null;
  if (own && isEdit(own)) return { edited_from, edit: await shown(own, record, tenant, ports) };
  if (!made) return { edited_from, edit: null };
  const original = await readFailure(tenant, made.failure_id, ports);
  return { edited_from, edit: await shown(made, original, tenant, ports) };
}

function isEdit(replay: StepReplay): replay is Edited {
  return replay.edited_payload !== undefined;
}

function madeBy({ edited_payload }: Edited, { service, source_hash }: Envelope): boolean {
  return stepSourceHash(service, JSON.parse(edited_payload)) === source_hash;
}

async function shown(
  { failure_id, at, edited_payload }: Edited,
  original: FailureRecord | undefined,
  tenant: string,
  ports: ReplayPorts,
): Promise<NonNullable<FailureDetail["edit"]>> {
  const envelope = original && readEnvelope(original.body);
  const before = envelope && (await readPayload(envelope, ports).catch(() => undefined));
  return {
    failure: failureName({ tenant, failure_id }),
    at,
    by: original?.edit?.by ?? null,
    why: original?.edit?.why ?? null,
    diff: payloadDiff(before ?? null, JSON.parse(edited_payload)),
  };
}
