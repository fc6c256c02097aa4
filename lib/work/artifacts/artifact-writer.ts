import type { z } from "zod";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { artifactMeta, META_SUFFIX } from "#lib/work/artifacts/artifact-meta.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";

/** Files one step leaves. They become visible together, when the step completes, or never. */
export interface ArtifactWriter {
  /**
   * `path` is in the standard layout, for example `build-test/report.json`. A JSON artifact names
   * the schema it follows (a file in schemas/json without its ending) and is checked against it.
   */
  text(path: string, text: string | Uint8Array, content_type: string): Promise<void>;
  json<Schema extends z.ZodType>(
    path: string,
    schema_name: string,
    schema: Schema,
    value: z.input<Schema>,
  ): Promise<void>;
}

interface WriterPorts {
  blobs: BlobStore;
  envelope: Envelope;
  service_version: string;
  now: () => number;
}

/**
 * Collects a step's artifacts as blobs. They become visible together with the write that
 * completes the step, so a worker that lost its lease shows nothing.
 */
export function artifactWriter(ports: WriterPorts): {
  writer: ArtifactWriter;
  manifest: () => ManifestEntry[];
} {
  const entries = new Map<string, ManifestEntry>();

  const put = async (
    path: string,
    bytes: Uint8Array | string,
    content_type: string,
    schema: string | null,
  ) => {
    const blob = await ports.blobs.write(bytes, content_type);
    const meta = artifactMeta({ path, blob, content_type, schema, ...ports, created_at_ms: ports.now() });
    const meta_path = `${path}${META_SUFFIX}`;
    const meta_blob = await ports.blobs.write(`${JSON.stringify(meta, null, 2)}\n`, "application/json");
    entries.set(path, { path, blob, content_type });
    entries.set(meta_path, { path: meta_path, blob: meta_blob, content_type: "application/json" });
  };

  const json = <Schema extends z.ZodType>(
    path: string,
    name: string,
    schema: Schema,
    value: z.input<Schema>,
  ) => put(path, `${JSON.stringify(schema.parse(value), null, 2)}\n`, "application/json", name);

  return {
    writer: { text: (path, bytes, content_type) => put(path, bytes, content_type, null), json },
    manifest: () => [...entries.values()],
  };
}
