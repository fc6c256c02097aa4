import { HttpError } from "#lib/platform/errors/http-error.ts";
import { decodeCursor, encodeCursor } from "#lib/platform/table/cursor.ts";
import { STEP } from "#lib/platform/table/items.ts";
import { keyOf, listingOf, listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { isWithin, keyRange } from "#lib/platform/table/time-range.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import { artifactSet, firstOfEachKind } from "#lib/work/views/artifact-set.ts";
import type { ArtifactIndex, ArtifactSet } from "#schemas/http/task-view.ts";
import type { GatewayPorts } from "./ports.ts";
import type { ArtifactQuery } from "./queries.ts";
import { findTask } from "./read-task.ts";

type Ports = Pick<GatewayPorts, "table" | "table_name" | "runtime">;

/**
 * The complete artifact sets of a tenant, or of one of its tasks, newest first. Those of a task come
 * from its ledger, strongly consistent; the tenant's from an index that follows within a second.
 */
export async function listArtifacts(
  tenant: string,
  query: ArtifactQuery,
  ports: Ports,
): Promise<ArtifactIndex> {
  if (query.latest && query.task === undefined) {
    const detail = "latest=true needs task: it gives the latest set of each kind of one task";
    throw new HttpError("FIELD_REQUIRED", detail);
  }
  if (query.task !== undefined) return listOfTask(tenant, query.task, query, ports);
  const { limit, cursor, since, until, kind, producer, verdict } = query;
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const step = parseStepItem(item);
    const set = artifactSet(step);
    return set && !isExpired(step, now) && isWanted(set, query) ? set : undefined;
  };
  const filters = { kind, producer, verdict };
  const page = await queryPage(
    listOf(STEP, "by_tenant", { tenant }),
    { limit, cursor, since, until, filters, read },
    ports,
  );
  return { entries: page.rows, next_cursor: page.next_cursor };
}

function isWanted(set: ArtifactSet, { kind, producer, verdict }: ArtifactQuery): boolean {
  return [
    [kind, set.kind],
    [producer, set.producer],
    [verdict, set.verdict],
  ].every(([wanted, value]) => wanted === undefined || wanted === value);
}

async function listOfTask(
  tenant: string,
  task_id: string,
  { limit, cursor, latest, ...filters }: ArtifactQuery,
  ports: Ports,
): Promise<ArtifactIndex> {
  const list = JSON.parse(JSON.stringify({ tenant, latest: latest === true, ...filters }));
  const after = cursor === undefined ? undefined : decodeCursor(cursor, list).gsi1sk;
  const range = keyRange(filters);
  const { steps } = await findTask(tenant, task_id, ports);
  const sets = steps
    .map(artifactSet)
    .filter((set) => set !== undefined)
    .map((set) => ({ set, key: listingOf(STEP, "by_tenant", set).gsi1sk }))
    .sort((left, right) => (left.key < right.key ? 1 : -1));
  const newest = new Set(latest ? firstOfEachKind(sets.map(({ set }) => set)) : sets.map(({ set }) => set));
  const wanted = sets.filter(({ set, key }) => {
    return newest.has(set) && isWithin(key, range) && isWanted(set, filters as ArtifactQuery);
  });
  const rest = wanted.filter(({ key }) => after === undefined || key < after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const next_cursor =
    last && rest.length > limit
      ? encodeCursor({ ...keyOf(STEP, last.set), ...listingOf(STEP, "by_tenant", last.set) }, list)
      : null;
  return { entries: page.map(({ set }) => set), next_cursor };
}
