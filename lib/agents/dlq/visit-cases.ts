import { type CaseFilter, isMeant } from "#lib/agents/dlq/case-filter.ts";
import { type DeadLetterCase, readCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { receiveDeadLetters, releaseDeadLetters } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { DeadLetter } from "#lib/agents/dlq/read-dead-letter.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";

export interface Visit {
  services: string[];
  filter: CaseFilter;
  /** Messages looked at in each DLQ at most. */
  limit: number;
  /** Told after each batch, of all DLQs together. */
  onProgress?: (counts: { looked_at: number; meant: number }) => void;
}

/**
 * Looks at every message of the DLQs and does `act` with each that is meant, a batch at a time.
 * `act` says whether the message left its DLQ; those that did not are shown to others again at the end.
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
        const meant = cases.filter((one) => isMeant(one, filter));
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
