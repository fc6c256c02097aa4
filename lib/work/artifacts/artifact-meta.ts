import { sha256 } from "#lib/platform/hash/sha256.ts";
import { ArtifactMeta } from "#schemas/artifacts/artifact-meta.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";

export const META_SUFFIX = ".meta.json";

/** A file of a task. */
export interface LayoutFile extends ManifestEntry {
  /** The text of a file that follows from the ledger, so that no blob holds it. */
  content?: string;
}

interface MetaFacts {
  path: string;
  blob: BlobRef;
  content_type: string;
  /** Name in the schema catalogue, or null for free text. */
  schema: string | null;
  producer: ArtifactMeta["producer"];
  trace_id: string;
  idempotency_key: string;
  source_hash: string;
  created_at: string;
}

/** The `<file>.meta.json` of one file: where it comes from and how to check it. */
export function metaFile({ path, blob, schema, ...facts }: MetaFacts): LayoutFile {
  const meta = ArtifactMeta.parse({
    schema_id: schema && `${schema}.schema.json`,
    schema_version: 1,
    path,
    sha256: blob.sha256,
    bytes: blob.bytes,
    ...facts,
  });
  return textFile(`${path}${META_SUFFIX}`, `${JSON.stringify(meta, null, 2)}\n`, "application/json");
}

/** A file of which the ledger says every byte. Its reference has its path for a key, for no blob holds it. */
export function textFile(path: string, content: string, content_type: string): LayoutFile {
  const blob = { key: path, sha256: sha256(content), bytes: Buffer.byteLength(content) };
  return { path, blob, content_type, content };
}

/** The files of a completed step: what its manifest lists, and the meta file of each, which follows from its record. */
export function filesOf(step: StepRecord): LayoutFile[] {
  const { artifacts = [], producer } = step.outcome ?? {};
  if (!producer) return artifacts; // written when each meta file stood in the manifest
  const written = new Set(artifacts.map(({ path }) => path));
  return artifacts.flatMap((entry) => {
    if (written.has(`${entry.path}${META_SUFFIX}`)) return [entry];
    const meta = metaFile({
      path: entry.path,
      blob: entry.blob,
      content_type: entry.content_type,
      schema: entry.schema ?? null,
      producer: { service: step.service, role: producer.role, version: producer.version },
      trace_id: producer.trace_id,
      idempotency_key: step.idempotency_key,
      source_hash: step.source_hash,
      created_at: step.ended_at ?? step.started_at,
    });
    return [entry, meta];
  });
}
