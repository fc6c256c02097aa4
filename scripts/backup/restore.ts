import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { TASK } from "#lib/platform/table/items.ts";
import { type Item, isOfKind } from "#lib/platform/table/keys.ts";
import { NEW, type NewItem, putIf } from "#lib/platform/table/operations.ts";
import { retentionOf, retentionTag } from "#lib/platform/table/retention.ts";
import type { BackupPorts } from "./back-up.ts";
import { filesOf, readLines, readManifest, StoredObject } from "./backup-files.ts";

interface Restored {
  objects: number;
  items: number;
  /** Items that the table had already: they stay as they are. */
  kept: number;
}

const AT_ONCE = 20;

/**
 * Brings a backup's objects and items into a stage's bucket and table. What the table has already stays, so a restore
 * that was stopped can be run again. The objects come first and the tasks last: nothing refers to what is not there yet,
 * and no orchestrator takes up a task whose steps are still missing.
 *
 * @throws Error that says what of the backup is damaged; nothing was written then, or only whole objects
 */
export async function restore(directory: string, ports: BackupPorts): Promise<Restored> {
  const manifest = await readManifest(directory);
  const files = filesOf(directory);
  const done: Restored = { objects: 0, items: 0, kept: 0 };
  await eachAtOnce(readLines(files.objects), async (line) => {
    await putObject(StoredObject.parse(line), directory, ports);
    done.objects += 1;
    ports.tell(`${done.objects} of ${manifest.objects} objects`);
  });
  for (const tasks of [false, true]) {
    await eachAtOnce(readLines(files.items), async (line) => {
      const item = line as NewItem & Item;
      if (isOfKind(TASK, item) !== tasks) return;
      if (await putIf(item, NEW, ports)) done.items += 1;
      else done.kept += 1;
      ports.tell(`${done.items + done.kept} of ${manifest.items} items`);
    });
  }
  return done;
}

async function putObject(
  { key, sha256, content_type, metadata }: StoredObject,
  directory: string,
  { s3, bucket }: BackupPorts,
): Promise<void> {
  const file = filesOf(directory).bytes(sha256);
  const content = await readFile(file);
  if (createHash("sha256").update(content).digest("hex") !== sha256) {
    throw new Error(`${file} is damaged: it has another SHA-256 than its name says.`);
  }
  const retention = retentionOf(key);
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: content,
      ContentType: content_type,
      Metadata: metadata,
      Tagging: retention && retentionTag(retention),
      ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
    }),
  );
}

/** Does the work for every value, some at a time, and waits for all. */
async function eachAtOnce<Value>(
  values: AsyncIterable<Value>,
  work: (value: Value) => Promise<void>,
): Promise<void> {
  const iterator = values[Symbol.asyncIterator]();
  const worker = async () => {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
