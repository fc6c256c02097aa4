import type { Lifetime } from "#lib/platform/table/item-kind.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";

const DAY_SECONDS = 86_400;
const DAY_MS = DAY_SECONDS * 1000;

/**
 * `expires_at` (Unix seconds) of everything in the table that belongs to a task: from its deadline,
 * so that all its items say the same without asking each other.
 */
export function recordExpiry(deadline_at: string, { tasks_days }: Pick<ArtifactsConfig, "tasks_days">) {
  return Math.ceil(Date.parse(deadline_at) / 1000) + tasks_days * DAY_SECONDS;
}

/** `expires_at` (Unix seconds) of an item that the catalogue keeps for a number of days after `from_ms`. */
export function expiryOf({ kept }: { kept: Extract<Lifetime, { days: number }> }, from_ms: number): number {
  return Math.ceil(from_ms / 1000) + kept.days * DAY_SECONDS;
}

/**
 * Whether a record counts as absent. DynamoDB deletes it some time within days:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function isExpired({ expires_at }: { expires_at?: number | undefined }, now_ms: number): boolean {
  return expires_at !== undefined && expires_at * 1000 <= now_ms;
}

/** Unix time in ms until which an object written at `written_ms` is certainly kept. */
export function keptUntilMs(written_ms: number, days: number): number {
  return written_ms + days * DAY_MS;
}

/**
 * What the bucket's lifecycle rules go by, as an object tag: `task` files of the standard layout,
 * `blob`, `upload`, `graph` snapshots (no rule: kept while pointed to). Prefixes cannot say it, for
 * the tenant comes first in every key.
 */
export type RetentionClass = "task" | "blob" | "upload" | "graph";

/** The class of an object, by its key (lib/platform/blobs/object-keys.ts). Undefined for a key of another form. */
export function retentionOf(key: string): RetentionClass | undefined {
  const [tenants, , place = ""] = key.split("/");
  const classes: Record<string, RetentionClass> = {
    tasks: "task",
    blobs: "blob",
    uploads: "upload",
    graph: "graph",
  };
  return tenants === "tenants" && Object.hasOwn(classes, place) ? classes[place] : undefined;
}

/** The `Tagging` of a PUT or a copy. Needs `s3:PutObjectTagging`. */
export function retentionTag(retention: RetentionClass): string {
  return `retention=${retention}`;
}
