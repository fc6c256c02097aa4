import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";

/** Which dead letters are meant; what is absent does not matter. */
export interface CaseFilter {
  /** Message ids, SQS message ids or failure ids, or their beginnings. */
  ids?: string[];
  tenant?: string;
  code?: string;
  /** Or its beginning. */
  fingerprint?: string;
  task_id?: string;
  /** Unix time in ms: those that failed last at or after it. */
  since_ms?: number;
}

export function isMeant({ letter, ...found }: DeadLetterCase, filter: CaseFilter): boolean {
  const names = [found.id, letter.sqs_message_id, letter.failure_id];
  const { ids, tenant, code, fingerprint, task_id, since_ms } = filter;
  return (
    (!ids || ids.some((id) => names.some((name) => name.startsWith(id)))) &&
    (!tenant || letter.tenant === tenant) &&
    (!code || found.code === code) &&
    (!fingerprint || found.fingerprint.startsWith(fingerprint)) &&
    (!task_id || letter.envelope?.task_id === task_id) &&
    (since_ms === undefined || Date.parse(found.last_at) >= since_ms)
  );
}
