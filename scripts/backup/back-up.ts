import { createHash } from "node:crypto";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, NoSuchKey, type S3Client } from "@aws-sdk/client-s3";
import { TASK } from "#lib/platform/table/items.ts";
import { type Item, isOfKind, keyOfItem } from "#lib/platform/table/keys.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { scanTable } from "#lib/platform/table/queries.ts";
import { listObjects } from "../artifacts-clean/stored-objects.ts";
import {
  type BackupManifest,
  filesOf,
  type StoredObject,
  writeLines,
  writeManifest,
} from "./backup-files.ts";

/** What is copied, and the way to say how far that has come. */
export interface BackupPorts extends TablePorts {
  s3: S3Client;
  bucket: string;
  tell(sentence: string): void;
}

/**
 * Copies a stage's table and bucket into an empty or new directory, while the stage works. What the copy holds is a state
 * that a crash could have left, so a stage that starts from it loses nothing and does nothing twice: tasks are copied
 * before their steps, so no task is ahead of its ledger, and the bucket after the table, so all that an item refers to
 * is there. Costs two reads of the whole table, and a request an object.
 *
 * @throws Error when the directory holds a backup already
 */
export async function backUp(directory: string, ports: BackupPorts): Promise<BackupManifest> {
  const files = filesOf(directory);
  await refuseUsed(files.manifest, directory);
  await mkdir(join(directory, "objects"), { recursive: true });
  const items = await writeLines(files.items, copyItems(ports));
  let bytes = 0;
  const objects = await writeLines(
    files.objects,
    copyObjects(directory, ports, (object) => {
      bytes += object.bytes;
    }),
  );
  const manifest: BackupManifest = {
    format: 1,
    made_at: new Date().toISOString(),
    table_name: ports.table_name,
    bucket: ports.bucket,
    items: items.lines,
    items_sha256: items.sha256,
    objects: objects.lines,
    objects_sha256: objects.sha256,
    bytes,
  };
  await writeManifest(directory, manifest);
  return manifest;
}

async function refuseUsed(manifest_file: string, directory: string): Promise<void> {
  const used = await access(manifest_file).then(
    () => true,
    () => false,
  );
  if (used) throw new Error(`${directory} holds a backup already. Give another directory.`);
}

/** Every item: first the tasks, then all else but what belongs to tasks that were accepted since. */
async function* copyItems(ports: BackupPorts): AsyncGenerator<Item> {
  const ledgers = new Set<string>();
  let count = 0;
  for (const tasks of [true, false]) {
    for await (const item of scanTable(ports)) {
      if (isOfKind(TASK, item) !== tasks) continue;
      const { pk } = keyOfItem(item);
      if (tasks) ledgers.add(pk);
      else if (pk.startsWith(TASK_PARTITION) && !ledgers.has(pk)) continue;
      count += 1;
      ports.tell(`${count} items`);
      yield item;
    }
  }
}

const [TASK_PARTITION = ""] = TASK.partition.split("<");

async function* copyObjects(
  directory: string,
  ports: BackupPorts,
  onCopied: (object: StoredObject) => void,
): AsyncGenerator<StoredObject> {
  let count = 0;
  for await (const page of listObjects("", ports)) {
    for (const { key } of page) {
      const object = await copyObject(key, directory, ports);
      if (!object) continue;
      onCopied(object);
      count += 1;
      ports.tell(`${count} objects`);
      yield object;
    }
  }
}

/** Undefined when it was deleted since it was listed. */
async function copyObject(
  key: string,
  directory: string,
  { s3, bucket }: BackupPorts,
): Promise<StoredObject | undefined> {
  try {
    const found = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const content = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
    const sha256 = createHash("sha256").update(content).digest("hex");
    await writeFile(filesOf(directory).bytes(sha256), content);
    return {
      key,
      sha256,
      bytes: content.byteLength,
      ...(found.ContentType !== undefined && { content_type: found.ContentType }),
      ...(found.Metadata && Object.keys(found.Metadata).length > 0 && { metadata: found.Metadata }),
    };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}
