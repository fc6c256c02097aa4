import { readEnvelope } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";

/** How often the work of a failure was replayed before it. A message that no step claimed counts its own sendings. */
export function replaysOf({ record }: { record: FailureRecord }, envelope: Envelope | undefined): number {
  return record.replay_count ?? (envelope?.replay_of ? envelope.attempt : 0);
}

/** The same of a record alone. Parses the message only where a replay sent it and no step claimed it. */
export function replaysIn(record: FailureRecord): number {
  const { replay_count, body } = record;
  if (replay_count !== undefined || !body.includes('"replay_of"')) return replay_count ?? 0;
  return replaysOf({ record }, readEnvelope(body));
}
