import { HttpError } from "#lib/platform/errors/http-error.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import { PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX } from "#lib/platform/table/limits.ts";

/** The place of one item in index `by_tenant`, within its partition. */
export interface Place {
  pk: string;
  sk: string;
  gsi1sk: string;
}

const BINDING_CHARACTERS = 16;

/** A cursor for the list that `list` (partition and filters) names, right after `place`. */
export function encodeCursor({ pk, sk, gsi1sk }: Place, list: unknown): string {
  return Buffer.from(JSON.stringify([binding(list), pk, sk, gsi1sk])).toString("base64url");
}

/** The place a cursor holds. Throws HttpError 400 `CURSOR_INVALID` for another list's, or none of ours. */
export function decodeCursor(cursor: string, list: unknown): Place {
  const [bound, pk, sk, gsi1sk] = readParts(cursor);
  if (
    isKey(pk, PARTITION_KEY_BYTES_MAX) &&
    isKey(sk, SORT_KEY_BYTES_MAX) &&
    isKey(gsi1sk, SORT_KEY_BYTES_MAX)
  ) {
    if (bound === binding(list)) return { pk, sk, gsi1sk };
  }
  throw new HttpError(
    "CURSOR_INVALID",
    "take the cursor from next_cursor of the page before, unchanged, with the same filters as that page",
  );
}

function binding(list: unknown): string {
  return sourceHash(list).slice(0, BINDING_CHARACTERS);
}

function readParts(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(parts) && parts.length === 4 ? parts : [];
  } catch {
    return [];
  }
}

function isKey(value: unknown, bytes_max: number): value is string {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= bytes_max;
}
