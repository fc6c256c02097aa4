import type { Envelope } from "#schemas/messages/envelope.ts";

/**
 * The name of a step's failure: one for each generation, so that copies of a message fail once and
 * a replayed step may fail anew, whichever copy runs it.
 */
export function stepFailureId(idempotency_key: string, generation: number): string {
  return generation === 0 ? idempotency_key : `${idempotency_key}#${generation}`;
}

/** The name of the failure of a message that never got as far as its step. */
export function messageFailureId({ idempotency_key, replay_of }: Envelope): string {
  return replay_of ? `${idempotency_key}#${replay_of}` : idempotency_key;
}
