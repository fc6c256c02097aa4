import { awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { groupCases } from "#lib/agents/dlq/dead-letter-case.ts";
import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import { explainCase } from "#lib/agents/dlq/plan-replay.ts";
import { listCases, previewCases, purgeCases, replayCases } from "#lib/agents/dlq/replay-cases.ts";
import { auditOrder } from "./audit.ts";
import { describeCases, describeExplanation } from "./describe-cases.ts";
import { DLQ_EXIT, DlqError } from "./dlq-error.ts";
import { enterEnvironment } from "./enter-environment.ts";
import { type DlqOptions, demandChoice, filterOf, servicesOf } from "./options.ts";
import { progress } from "./progress.ts";
import { age, table } from "./table.ts";

/** What a command prints and how the process ends. */
export interface Report {
  lines: string[];
  json: unknown;
  exit: number;
}

export function replayPorts(options: DlqOptions): ReplayPorts {
  enterEnvironment(options.dataDir);
  const platform = awsAgentPlatform();
  return { ...platform, table_name: platform.settings.table_name };
}

export async function list(ids: string[], options: DlqOptions): Promise<Report> {
  const ports = replayPorts(options);
  const cases = await looking("Looking", ids, options, (visit) => listCases(visit, ports));
  return {
    lines: describeCases(cases, Date.now()),
    json: {
      groups: groupCases(cases).map(({ example, ...group }) => ({ ...group, example: example.id })),
      cases,
    },
    exit: DLQ_EXIT.done,
  };
}

export async function show(id: string, options: DlqOptions): Promise<Report> {
  const ports = replayPorts(options);
  const cases = await looking("Looking", [id], options, (visit) => listCases(visit, ports));
  if (cases.length === 0) {
    throw new DlqError(
      DLQ_EXIT.kept,
      `No dead letter ${id}: it was replayed or purged, or another console holds it.`,
    );
  }
  const explained = await Promise.all(cases.map((one) => explainCase(one, ports)));
  const lines = explained.flatMap((one, index) => [
    ...(index > 0 ? ["", ""] : []),
    ...describeExplanation(one),
  ]);
  return { lines, json: explained, exit: DLQ_EXIT.done };
}

export async function replay(ids: string[], options: DlqOptions): Promise<Report> {
  demandChoice(ids, options);
  const ports = replayPorts(options);
  if (options.dryRun) {
    const planned = await looking("Planning", ids, options, (visit) => previewCases(visit, ports));
    return replayReport(planned.map(({ one, plan }) => ({ one, did: `would ${plan.kind}`, ...plan })));
  }
  const force = options.force ?? false;
  const tell = await auditOrder("dlq.replay", ids, options);
  const done = await looking("Replaying", ids, options, (visit) => replayCases(visit, { force }, ports));
  await tell(done.map(({ one, replayed: { did } }) => ({ one, did })));
  return replayReport(done.map(({ one, replayed }) => ({ one, ...replayed })));
}

export async function purge(ids: string[], options: DlqOptions): Promise<Report> {
  demandChoice(ids, options);
  const ports = replayPorts(options);
  const certain = options.yes && !options.dryRun;
  const act = certain ? purgeCases : listCases;
  const tell = certain ? await auditOrder("dlq.purge", ids, options) : undefined;
  const cases = await looking(certain ? "Purging" : "Looking", ids, options, (visit) => act(visit, ports));
  await tell?.(cases.map((one) => ({ one, did: "purged" })));
  const did = certain ? "Purged" : "Would purge";
  const advice = certain || options.dryRun ? "" : " Nothing was changed: say --yes to do it.";
  return {
    lines: [...describeCases(cases, Date.now()), "", `${did} ${cases.length}.${advice}`],
    json: { purged: certain ? cases.length : 0, cases },
    exit: certain || options.dryRun ? DLQ_EXIT.done : DLQ_EXIT.usage,
  };
}

async function looking<Result>(
  doing: string,
  ids: string[],
  options: DlqOptions,
  work: (visit: Parameters<typeof listCases>[0]) => Promise<Result>,
): Promise<Result> {
  const { onProgress, end } = progress(doing);
  try {
    const filter = filterOf(ids, options);
    return await work({ services: servicesOf(options), filter, limit: options.limit, onProgress });
  } finally {
    end();
  }
}

interface Done {
  one: DeadLetterCase;
  did: string;
  reason: string;
  sentence: string;
}

function replayReport(done: Done[]): Report {
  const counts = Map.groupBy(done, ({ did }) => did);
  const summary = [...counts].map(([did, members]) => `${members.length} ${did}`).join(", ");
  const rows = done.map(({ one, did, reason, sentence }) => [
    one.id,
    one.letter.service,
    one.code,
    age(one.last_at, Date.now()),
    did,
    `${reason}: ${sentence}`,
  ]);
  return {
    lines:
      done.length === 0
        ? ["No dead letters; nothing to replay."]
        : [...table(["ID", "SERVICE", "CODE", "FAILED", "DONE", "WHY"], rows), "", `${summary}.`],
    json: done.map(({ one, ...rest }) => ({
      id: one.id,
      service: one.letter.service,
      code: one.code,
      ...rest,
    })),
    exit: counts.has("kept") ? DLQ_EXIT.kept : DLQ_EXIT.done,
  };
}
