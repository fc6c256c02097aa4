import { HttpError } from "#lib/platform/errors/http-error.ts";
import { decodeCursor, encodeCursor, type Place } from "#lib/platform/table/cursor.ts";
import type { Item, Partition } from "#lib/platform/table/keys.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { queryOnce } from "#lib/platform/table/queries.ts";
import { isWithin, keyRange, type TimeRange } from "#lib/platform/table/time-range.ts";

export interface PageRequest<Row> extends TimeRange {
  limit: number;
  cursor?: string | undefined;
  /** The item as the list shows it; undefined when it is not to be shown. */
  read(item: Item): Row | undefined;
  /** What `read` goes by beside the item: a cursor holds for these filters only. */
  filters: Record<string, unknown>;
}

interface Page<Row> {
  rows: Row[];
  next_cursor: string | null;
}

/** Items one DynamoDB query looks at when `read` may pass many over. */
const SELECTIVE_ITEMS = 250;
/** Queries for one page. What 10,000 items do not hold is looked for by the next page. */
const QUERIES_MAX = 40;

/**
 * One page of a list in index `by_tenant` (`listOf`), newest first. It is full while there is more, unless 10,000 items
 * were passed over: then it is short and its cursor goes on from there. The cursor is the place
 * of the last item seen, so what arrives meanwhile moves nothing; it is bound to partition, time
 * range and filters. Throws HttpError 400 `CURSOR_INVALID`.
 */
export async function queryPage<Row>(
  partition: Partition,
  request: PageRequest<Row>,
  ports: TablePorts,
): Promise<Page<Row>> {
  const { limit, cursor, since, until, read, filters } = request;
  const list = JSON.parse(JSON.stringify({ partition: partition.value, since, until, filters }));
  const selective = Object.values(list.filters).length > 0;
  const range = keyRange(request);
  const ranged = since !== undefined || until !== undefined;
  let after = cursor === undefined ? undefined : decodeCursor(cursor, list);
  if (after && !isWithin(after.gsi1sk, range)) {
    throw new HttpError("CURSOR_INVALID", "the cursor lies outside of since and until");
  }
  if (range.from > range.to) return { rows: [], next_cursor: null }; // DynamoDB takes no such range
  const found: { row: Row; place: Place }[] = [];
  for (let queries = 0; queries < QUERIES_MAX; queries += 1) {
    const page = await queryOnce(
      partition,
      {
        backwards: true,
        range: ranged ? range : undefined,
        items_max: selective ? Math.max(SELECTIVE_ITEMS, limit + 1) : limit + 1,
        after: after && { ...after, gsi1pk: partition.value },
      },
      ports,
    );
    for (const item of page.items) {
      const row = read(item);
      if (row === undefined) continue;
      // One more than asked for says that there is more.
      if (found.length === limit) return close(found[limit - 1]?.place);
      found.push({ row, place: placeOf(item) });
    }
    if (!page.last) return close(undefined);
    after = placeOf(page.last);
  }
  return close(after);

  function close(place: Place | undefined): Page<Row> {
    return { rows: found.map(({ row }) => row), next_cursor: place ? encodeCursor(place, list) : null };
  }
}

function placeOf({ pk, sk, gsi1sk }: Item): Place {
  return { pk: String(pk), sk: String(sk), gsi1sk: String(gsi1sk) };
}
