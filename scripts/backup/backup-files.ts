import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { Sha256 } from "#schemas/primitives.ts";

/*
 * A backup is a directory: `items.jsonl.gz` holds the table's items, a line of JSON each, `objects.jsonl.gz` says which
 * objects there are, `objects/<SHA-256>` holds their bytes, and `backup.json`, written last, counts all of it.
 */

/** `backup.json`. */
export const BackupManifest = z.strictObject({
  format: z.literal(1),
  made_at: z.iso.datetime(),
  table_name: z.string(),
  bucket: z.string(),
  items: z.int(),
  items_sha256: Sha256.describe("of items.jsonl.gz"),
  objects: z.int(),
  objects_sha256: Sha256.describe("of objects.jsonl.gz"),
  bytes: z.int().describe("of all objects together"),
});
export type BackupManifest = z.output<typeof BackupManifest>;

/** A line of `objects.jsonl.gz`. */
export const StoredObject = z.strictObject({
  key: z.string(),
  sha256: Sha256,
  bytes: z.int(),
  content_type: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type StoredObject = z.output<typeof StoredObject>;

export const filesOf = (directory: string) => ({
  manifest: join(directory, "backup.json"),
  items: join(directory, "items.jsonl.gz"),
  objects: join(directory, "objects.jsonl.gz"),
  bytes: (sha256: string) => join(directory, "objects", sha256),
});

/** Writes each value as a line of JSON into a file compressed with gzip. Returns their number, and the file's SHA-256. */
export async function writeLines(
  file: string,
  values: AsyncIterable<unknown>,
): Promise<{ lines: number; sha256: string }> {
  let lines = 0;
  const hash = createHash("sha256");
  async function* texts() {
    for await (const value of values) {
      lines += 1;
      yield `${JSON.stringify(value)}\n`;
    }
  }
  const hashed = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(Readable.from(texts()), createGzip(), hashed, createWriteStream(file));
  return { lines, sha256: hash.digest("hex") };
}

/** The values of such a file, one by one. */
export async function* readLines(file: string): AsyncGenerator<unknown> {
  for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) })) {
    yield JSON.parse(line);
  }
}

export async function writeManifest(directory: string, manifest: BackupManifest): Promise<void> {
  await writeFile(filesOf(directory).manifest, `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * The manifest of a whole backup, whose lists are the ones it was made with.
 *
 * @throws Error that says what is damaged or missing
 */
export async function readManifest(directory: string): Promise<BackupManifest> {
  const files = filesOf(directory);
  const text = await readFile(files.manifest, "utf8").catch(() => {
    throw new Error(`${directory} holds no backup, or one that was not finished: it has no backup.json.`);
  });
  const manifest = BackupManifest.parse(JSON.parse(text));
  for (const [file, sha256] of [
    [files.items, manifest.items_sha256],
    [files.objects, manifest.objects_sha256],
  ] as const) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    if (hash.digest("hex") !== sha256)
      throw new Error(`${file} is damaged: it has another SHA-256 than backup.json says.`);
  }
  return manifest;
}
