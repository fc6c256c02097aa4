import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";

/** Dead letters of one kind: the same service, code and root cause. */
export interface CaseGroup {
  fingerprint: string;
  service: string;
  code: string;
  count: number;
  tenants: number;
  first_at: string;
  last_at: string;
  /** The one that failed last. */
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
