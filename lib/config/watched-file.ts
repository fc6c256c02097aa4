import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { settings } from "#lib/config/environment.ts";
import { jsonLog } from "#lib/log/json-log.ts";

export interface Loaded<Value> {
  value: Value;
  /** SHA-256 of the file's bytes: what decisions are stamped with. */
  hash: string;
}

const CHECK_INTERVAL_MS = 500;
const log = jsonLog({ service: "config" });

/**
 * A configuration file that may change while the process runs. A change is in force within
 * half a second of the next read; a broken one is refused with a log line while the last good
 * one stays. The first read throws when there is no good one.
 */
export function watchedFile<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
): () => Loaded<z.output<Schema>> {
  let good: Loaded<z.output<Schema>> | undefined;
  let seen_stamp = "";
  let checked_at = 0;

  const reload = (path: string): void => {
    const bytes = readFileSync(path);
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (hash === good?.hash) return;
    const value = schema.parse(JSON.parse(bytes.toString("utf8")));
    if (good) log.info("CONFIG_CHANGED", `${name} changed`, { old_hash: good.hash, new_hash: hash });
    good = { value, hash };
  };

  return () => {
    const now = Date.now();
    if (good && now - checked_at < CHECK_INTERVAL_MS) return good;
    checked_at = now;
    const path = join(settings().config_directory, name);
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const stamp = `${mtimeMs}/${size}/${ino}`;
      if (good && stamp === seen_stamp) return good;
      seen_stamp = stamp;
      reload(path);
    } catch (cause) {
      if (!good) throw new Error(`configuration ${path} cannot be used: ${String(cause)}`, { cause });
      log.error("CONFIG_REJECTED", `${name} is broken; the last good one stays in force`, {
        hash: good.hash,
        reason: String(cause),
      });
    }
    if (!good) throw new Error(`configuration ${path} has no valid version`);
    return good;
  };
}
