import {
  type DeadLetter,
  type ReplayPorts,
  receiveDeadLetters,
  releaseDeadLetters,
} from "#lib/agents/dlq/dead-letter-queue.ts";
import { readFailure } from "#lib/agents/dlq/failure-store.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { faultOf } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";

/** A dead letter joined with its failure record. */
export interface DeadLetterCase {
  letter: DeadLetter;
  /** The envelope's message id, or SQS's message id when the body cannot be read. */
  id: string;
  code: string;
  message: string;
  fingerprint: string;
  first_at: string;
  last_at: string;
  failure: FailureRecord | undefined;
}

/** Joins a dead letter with its failure record. A message that SQS moved to the DLQ has no record: its code is `NATIVE_REDRIVE`. */
async function readCase(letter: DeadLetter, ports: ReplayPorts): Promise<DeadLetterCase> {
  const failure = letter.native ? undefined : await readFailure(letter.tenant, letter.failure_id, ports);
  const id = letter.envelope?.message_id ?? letter.sqs_message_id;
  if (failure) {
    const { code, message, first_at, last_at } = failure;
    return { letter, id, code, message, fingerprint: failure.fingerprint, first_at, last_at, failure };
  }
  const facts = failureFacts(
    faultOf("terminal", letter.code ?? ("NATIVE_REDRIVE" satisfies ErrorCode), unrecorded(letter)),
  );
  const at = instant(letter.sent_at_ms);
  return {
    letter,
    id,
    code: facts.code,
    message: facts.message,
    fingerprint: fingerprint(letter.service, facts),
    first_at: at,
    last_at: at,
    failure,
  };
}

function unrecorded({ native }: DeadLetter): string {
  return native
    ? "SQS moved it here after too many receives: each time the worker died before it could record a failure"
    : "its failure record has expired: records are kept for 30 days";
}

/** Selects dead letters. An absent field matches every dead letter. */
export interface CaseFilter {
  /** Message ids, SQS message ids or failure ids; prefixes of them match too. */
  ids?: string[];
  tenant?: string;
  code?: string;
  /** A prefix of it matches too. */
  fingerprint?: string;
  task_id?: string;
  /** Unix time in ms: only dead letters whose last failure is at or after it. */
  since_ms?: number;
}

function matches({ letter, ...found }: DeadLetterCase, filter: CaseFilter): boolean {
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

export interface Visit {
  services: string[];
  filter: CaseFilter;
  /** Largest number of messages read from each DLQ. */
  limit: number;
  /** Called after each batch with the totals over all DLQs. */
  onProgress?: (counts: { looked_at: number; meant: number }) => void;
}

/**
 * Reads every message of the DLQs in batches and calls `act` for each one that matches the filter. `act` returns
 * whether the message left its DLQ (`left`); the others become visible again at the end.
 */
export async function visitCases<Result>(
  { services, filter, limit, onProgress }: Visit,
  act: (one: DeadLetterCase) => Promise<{ left: boolean; result: Result }>,
  ports: ReplayPorts,
): Promise<Result[]> {
  const results: Result[] = [];
  let looked_at = 0;
  const visit = async (service: string): Promise<void> => {
    const held = new Set<DeadLetter>();
    try {
      for await (const letters of receiveDeadLetters(service, limit, ports)) {
        for (const letter of letters) held.add(letter);
        const cases = await Promise.all(letters.map((letter) => readCase(letter, ports)));
        const meant = cases.filter((one) => matches(one, filter));
        const acted = await Promise.all(meant.map(async (one) => ({ one, ...(await act(one)) })));
        for (const { one, left } of acted) if (left) held.delete(one.letter);
        results.push(...acted.map(({ result }) => result));
        looked_at += letters.length;
        onProgress?.({ looked_at, meant: results.length });
      }
    } finally {
      await releaseDeadLetters([...held], ports);
    }
  };
  const visited = await Promise.allSettled(services.map(visit));
  const failed = visited.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return results;
}

/** Dead letters with the same fingerprint: the same service, code and root cause. */
export interface CaseGroup {
  fingerprint: string;
  service: string;
  code: string;
  count: number;
  tenants: number;
  first_at: string;
  last_at: string;
  /** The dead letter with the latest failure. */
  example: DeadLetterCase;
}

/** Groups by fingerprint, the largest first. */
export function groupCases(cases: DeadLetterCase[]): CaseGroup[] {
  const groups = Map.groupBy(cases, (one) => one.fingerprint);
  return [...groups]
    .map(([fingerprint, members]) => {
      const [first = "", ...rest] = members.map(({ first_at }) => first_at).sort();
      const example = members.reduce((a, b) => (b.last_at > a.last_at ? b : a));
      return {
        fingerprint,
        service: example.letter.service,
        code: example.code,
        count: rest.length + 1,
        tenants: new Set(members.map(({ letter }) => letter.tenant)).size,
        first_at: first,
        last_at: example.last_at,
        example,
      };
    })
    .sort((a, b) => b.count - a.count || a.fingerprint.localeCompare(b.fingerprint));
}
