import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { type ConfigDefinition, definitions } from "#lib/platform/config/config-definitions.ts";
import { parseConfig } from "#lib/platform/config/parse-config.ts";
import { parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";

export interface Push {
  s3: S3Client;
  bucket: string;
  /** Ends in `/`, or is empty. */
  prefix: string;
  directory: string;
  dry_run: boolean;
}

interface Candidate {
  name: string;
  bytes: Buffer;
}

/**
 * Puts the files of a directory into the bucket, those only that differ and none unless all are good.
 * A file that somebody else changes at the same moment is not overwritten: that throws.
 */
export async function pushConfig(push: Push): Promise<{ ok: boolean; lines: string[] }> {
  const candidates: Candidate[] = [];
  const faults: string[] = [];
  const deployment = { services: deployedServices() };
  for (const definition of Object.values(definitions) as ConfigDefinition[]) {
    const path = join(push.directory, definition.name);
    try {
      const bytes = readFileSync(path);
      parseConfig(definition, bytes, deployment);
      candidates.push({ name: definition.name, bytes });
    } catch (error) {
      faults.push(`✗ ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) return { ok: false, lines: [...faults, "Nothing was sent."] };
  const lines: string[] = [];
  for (const candidate of candidates) lines.push(await pushOne(candidate, push));
  return { ok: true, lines };
}

async function pushOne({ name, bytes }: Candidate, { s3, bucket, prefix, dry_run }: Push): Promise<string> {
  const Key = `${prefix}${name}`;
  const present = await s3.send(new GetObjectCommand({ Bucket: bucket, Key })).catch((error: unknown) => {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  });
  const old_hash = present && sha256((await present.Body?.transformToByteArray()) ?? new Uint8Array());
  const new_hash = sha256(bytes);
  if (old_hash === new_hash) return `  ${name}  ${short(new_hash)}  unchanged`;
  const line = `${name}  ${old_hash ? short(old_hash) : "absent"} → ${short(new_hash)}`;
  if (dry_run) return `  ${line}  would be sent to s3://${bucket}/${Key}`;
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key,
      Body: bytes,
      ContentType: "application/json",
      ...(present ? { IfMatch: present.ETag } : { IfNoneMatch: "*" }),
    }),
  );
  return `✓ ${line}  s3://${bucket}/${Key}`;
}

/** The services with a queue, as serverless.yml deploys them. */
function deployedServices(): string[] {
  const { provider } = parseServerless(readFileSync(SERVERLESS_FILE, "utf8"));
  return Object.keys(provider.environment ?? {})
    .filter((name) => name.startsWith("QUEUE_URL_"))
    .map((name) => name.slice("QUEUE_URL_".length).toLowerCase());
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
