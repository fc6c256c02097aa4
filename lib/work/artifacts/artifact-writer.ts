import type { z } from "zod";
import type { BlobStore, WriteOptions } from "#lib/platform/blobs/blobs.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";

/** Files one step leaves. They become visible together, when the step completes, or never. */
export interface ArtifactWriter {
  /**
   * `path` is in the standard layout, for example `build-test/report.json`. A JSON artifact names
   * the schema it follows (a file in schemas/json without its ending) and is checked against it.
   * Returns the reference of the bytes, for a step that gives them to a later one too.
   */
  text(
    path: string,
    text: string | Uint8Array,
    content_type: string,
    options?: WriteOptions,
  ): Promise<BlobRef>;
  json<Schema extends z.ZodType>(
    path: string,
    schema_name: string,
    schema: Schema,
    value: z.input<Schema>,
  ): Promise<BlobRef>;
}

/**
 * Collects a step's artifacts: small ones in the manifest, others as blobs. They become visible together with the
 * write that completes the step, so a worker that lost its lease shows nothing.
 */
export function artifactWriter(blobs: Pick<BlobStore, "write">): {
  writer: ArtifactWriter;
  manifest: () => ManifestEntry[];
} {
  const entries = new Map<string, ManifestEntry>();

  const put = async (
    path: string,
    bytes: Uint8Array | string,
    content_type: string,
    schema: string | null,
    options?: WriteOptions,
  ) => {
    const blob = await blobs.write(bytes, content_type, options);
    entries.set(path, { path, blob, content_type, schema });
    return blob;
  };

  const json = <Schema extends z.ZodType>(
    path: string,
    name: string,
    schema: Schema,
    value: z.input<Schema>,
  ) => put(path, `${JSON.stringify(schema.parse(value), null, 2)}\n`, "application/json", name);

  return {
    writer: {
      text: (path, bytes, content_type, options) => put(path, bytes, content_type, null, options),
      json,
    },
    manifest: () => [...entries.values()],
  };
}
