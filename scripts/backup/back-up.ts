import { createHash } from "node:crypto";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DynamoDBClient, ScanCommand, type ScanCommandInput } from "@aws-sdk/client-dynamodb";
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  NoSuchKey,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { TASK } from "#lib/platform/table/items.ts";
import { listObjects } from "../artifacts-clean/stored-objects.ts";
import {
  type BackupManifest,
  filesOf,
  type Item,
  type StoredObject,
  writeLines,
  writeManifest,
} from "./backup-files.ts";

/** What is copied, and the way to say how far that has come. */
export interface BackupPorts {
  dynamodb: DynamoDBClient;
  table_name: string;
  s3: S3Client;
  bucket: string;
  tell(sentence: string): void;
}

const TASK_PARTITION = TASK.partition.slice(0, TASK.partition.indexOf("<"));

/**
 * Copies a stage's table and bucket into an empty or new directory, while the stage works. What the copy holds is a state
 * that a crash could have left, so a stage that starts from it loses nothing and does nothing twice: tasks are copied
 * before their steps, so no task is ahead of its ledger, and the bucket after the table, so all that an item refers to
 * is there. Costs two reads of the whole table, and two requests an object.
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

/** Every item: first the tasks, then all else but ledgers of tasks that were accepted since. */
async function* copyItems(ports: BackupPorts): AsyncGenerator<{ Item: Item }> {
  const is_task = {
    ExpressionAttributeNames: { "#sk": "sk" },
    ExpressionAttributeValues: { ":task": { S: TASK.sort } },
  };
  const copied = new Set<string>();
  let count = 0;
  for await (const item of scan({ ...is_task, FilterExpression: "#sk = :task" }, ports)) {
    copied.add(item.pk?.S ?? "");
    count += 1;
    ports.tell(`${count} items`);
    yield { Item: item };
  }
  for await (const item of scan({ ...is_task, FilterExpression: "#sk <> :task" }, ports)) {
    const partition = item.pk?.S ?? "";
    if (partition.startsWith(TASK_PARTITION) && !copied.has(partition)) continue;
    count += 1;
    ports.tell(`${count} items`);
    yield { Item: item };
  }
}

async function* scan(
  filter: Pick<ScanCommandInput, "FilterExpression">,
  { dynamodb, table_name }: BackupPorts,
): AsyncGenerator<Item> {
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await dynamodb.send(
      new ScanCommand({ TableName: table_name, ConsistentRead: true, ExclusiveStartKey, ...filter }),
    );
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}

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
  const target = { Bucket: bucket, Key: key };
  try {
    const found = await s3.send(new GetObjectCommand(target));
    const content = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
    const tags = await tagsOf(target, s3);
    const sha256 = createHash("sha256").update(content).digest("hex");
    await writeFile(filesOf(directory).bytes(sha256), content);
    return {
      key,
      sha256,
      bytes: content.byteLength,
      ...(found.ContentType !== undefined && { content_type: found.ContentType }),
      ...(found.Metadata && Object.keys(found.Metadata).length > 0 && { metadata: found.Metadata }),
      ...(tags && { tags }),
    };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** Undefined for none, and where the S3 of a stage has no tags, as the local one. */
async function tagsOf(
  target: { Bucket: string; Key: string },
  s3: S3Client,
): Promise<Record<string, string> | undefined> {
  const found = await s3.send(new GetObjectTaggingCommand(target)).catch((error: unknown) => {
    if (error instanceof S3ServiceException && error.name === "NotImplemented") return undefined;
    throw error;
  });
  const pairs = (found?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value]);
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
}
