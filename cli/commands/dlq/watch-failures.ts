import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { DeadLetterQueues, FailureGroups } from "#schemas/http/dead-letters.ts";
import { queryOf } from "../../ask-and-show.ts";
import { type FilterOptions, filterOf } from "../../failure-filter.ts";
import { patience, patiently } from "../../patiently.ts";
import { groupTable, queueTable } from "../../render/failure-table.ts";
import { escaped, jsonText } from "../../render/visible.ts";
import { openSession, type Session } from "../../session.ts";

const WATCH_MS = 2000;

interface Seen {
  answer: DeadLetterQueues | FailureGroups;
  lines: string[];
  /** What makes it worth showing again. */
  state: string;
}

/** Shows how many failures wait, again whenever that changes; a line of JSON each with --json. */
export async function watchFailures(
  { once, ...options }: FilterOptions & { once?: boolean },
  command: Command,
): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  const { terminal } = session;
  const onOutage = (notice: string) => terminal.lines(`  ! ${notice}`);
  const look = () => patiently(() => see(filterOf(options), session), { ...patience, onOutage });
  for (let shown = ""; ; ) {
    const { answer, lines, state } = await look();
    if (json && state !== shown)
      process.stdout.write(once ? jsonText(answer) : `${escaped(JSON.stringify(answer))}\n`);
    else if (!json && terminal.interactive && !once) terminal.live(...lines);
    else if (!json && state !== shown) terminal.lines(...lines);
    shown = state;
    if (once) return;
    await delay(WATCH_MS);
  }
}

async function see(filter: FilterOptions, { api, terminal: { paint } }: Session): Promise<Seen> {
  if (Object.keys(filter).length > 0) {
    const found = await api.get(FailureGroups, `/api/dlq/groups${queryOf({ ...filter })}`);
    const state = JSON.stringify(found.groups);
    return { answer: found, lines: groupTable(found, paint), state };
  }
  const found = await api.get(DeadLetterQueues, "/api/dlq/queues");
  const facts = found.queues.map(({ queue, depth, messages, permanently_failed }) => {
    return [queue, depth, messages, permanently_failed];
  });
  return { answer: found, lines: queueTable(found, paint), state: JSON.stringify(facts) };
}
