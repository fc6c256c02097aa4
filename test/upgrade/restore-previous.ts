import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Item } from "#lib/platform/table/keys.ts";
import { type BackupManifest, filesOf, readLines, writeLines } from "../../scripts/backup/backup-files.ts";
import { temporaryDirectory } from "../temporary.ts";
import { PREVIOUS } from "./previous.ts";

const DAYS_MS = 400 * 86_400_000;
/** The kill was so long ago: the leases of that time have ended. */
const SINCE_KILL_MS = 120_000;

/** Makes a text's instants later: those in ISO form, and numbers that are Unix times in s or ms near the recording. */
function later(text: string, made_ms: number, by_ms: number): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z/g, (at) =>
      new Date(Date.parse(at) + by_ms).toISOString(),
    )
    .replaceAll(/(?<![\w.-])\d{10}(?:\d{3})?(?![\w.-])/g, (digits) => {
      const unit_ms = digits.length === 10 ? 1000 : 1;
      const at_ms = Number(digits) * unit_ms;
      return Math.abs(at_ms - made_ms) < DAYS_MS ? String(Math.round((at_ms + by_ms) / unit_ms)) : digits;
    });
}

/** The recorded backup, each item after `change`, and a way to read recorded texts, as if the kill had been two minutes ago. */
export async function recentPrevious(
  change: (item: Item) => void,
): Promise<{ directory: string; recent: (text: string) => string }> {
  const directory = temporaryDirectory("previous");
  cpSync(PREVIOUS, directory, { recursive: true });
  const files = filesOf(directory);
  const manifest: BackupManifest = JSON.parse(readFileSync(files.manifest, "utf8"));
  const made_ms = Date.parse(manifest.made_at);
  const by_ms = Date.now() - SINCE_KILL_MS - made_ms;
  const recent = (text: string) => later(text, made_ms, by_ms);
  async function* items() {
    for await (const line of readLines(join(PREVIOUS, "items.jsonl.gz"))) {
      const item: Item = JSON.parse(recent(JSON.stringify(line)));
      change(item);
      yield item;
    }
  }
  const { sha256 } = await writeLines(files.items, items());
  writeFileSync(files.manifest, JSON.stringify({ ...manifest, items_sha256: sha256 }));
  return { directory, recent };
}
