import type { z } from "zod";
import { ParkedFault } from "#lib/platform/errors/fault.ts";
import { type Item, recordFields } from "#lib/platform/table/keys.ts";

/** A later version is deployed beside this one for minutes, not hours. */
const LOOK_AGAIN_MS = 15_000;

/**
 * An item of the table as a record, without its keys. A field that this version does not know is of a later one, which
 * runs beside this while an upgrade or a rollback is under way. What it means is not guessed: the work waits until a
 * worker that knows it takes it up, and costs no attempt.
 *
 * @throws ParkedFault `RECORD_NEWER`
 * @throws ZodError when the item is not such a record otherwise
 */
export function readRecord<Schema extends z.ZodType>(schema: Schema, item: Item): z.output<Schema> {
  const read = schema.safeParse(recordFields(item));
  if (read.success) return read.data;
  const [first] = read.error.issues;
  if (!first || read.error.issues.some(({ code }) => code !== "unrecognized_keys")) throw read.error;
  const place = [...first.path, ...(first.code === "unrecognized_keys" ? first.keys : [])].join(".");
  throw new ParkedFault(
    "RECORD_NEWER",
    `a later version wrote ${place} into the record ${item.pk} ${item.sk}; it waits for a worker of that version`,
    { retry_after_ms: LOOK_AGAIN_MS },
  );
}
