import { instant } from "#lib/platform/runtime/runtime.ts";
import { ArtifactMeta } from "#schemas/artifacts/artifact-meta.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { BlobRef } from "#schemas/primitives.ts";

export const META_SUFFIX = ".meta.json";

interface MetaFacts {
  path: string;
  blob: BlobRef;
  content_type: string;
  /** Name in the schema catalogue, or null for free text. */
  schema: string | null;
  envelope: Pick<Envelope, "service" | "role" | "trace_id" | "idempotency_key" | "source_hash">;
  service_version: string;
  created_at_ms: number;
}

/** The `<file>.meta.json` of one artifact: where it comes from and how to check it. */
export function artifactMeta(facts: MetaFacts): ArtifactMeta {
  const { path, blob, content_type, schema, envelope, service_version, created_at_ms } = facts;
  return ArtifactMeta.parse({
    schema_id: schema && `${schema}.schema.json`,
    schema_version: 1,
    path,
    sha256: blob.sha256,
    bytes: blob.bytes,
    content_type,
    producer: { service: envelope.service, role: envelope.role, version: service_version },
    trace_id: envelope.trace_id,
    idempotency_key: envelope.idempotency_key,
    source_hash: envelope.source_hash,
    created_at: instant(created_at_ms),
  });
}
