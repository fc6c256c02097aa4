/**
 * A bucket in the table. `arrival_us` is the "theoretical arrival time" of the generic cell rate
 * algorithm (ITU-T I.371): the moment from which the bucket is full again. The distance to it is
 * what has been taken and not yet come back.
 */
export interface BucketItem {
  arrival_us: number;
  /** The interval the distance was made with: when the rate changes, the debt is counted over. */
  interval_us: number;
  /** `2026-11-22`, in UTC. */
  day_utc: string;
  /** Requests taken on that day. */
  day_taken: number;
  /** The writer's clock. */
  written_us: number;
}

export interface BucketKey {
  tenant: string;
  /** `GET /api/tasks/{id}` */
  route: string;
}

export function bucketItemKey({ tenant, route }: BucketKey, shard: number): { pk: string; sk: string } {
  return { pk: `LIMIT#${tenant}#${route}#${shard}`, sk: "LIMIT" };
}

const DAY_US = 86_400_000_000;

/** The day in UTC, as an item has it. */
export function dayOf(now_us: number): string {
  return new Date(Math.floor(now_us / 1000)).toISOString().slice(0, 10);
}

/** When the day after `day_utc` begins. */
export function dayEnd(day_utc: string): number {
  return Date.parse(`${day_utc}T00:00:00Z`) * 1000 + DAY_US;
}
