import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type Snapshot, SnapshotBody } from "#lib/code/graph/snapshot.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

const HEADER_BYTES = 4;
/** A snapshot of 30,000 chunks of 3,000 characters, and room. */
const SNAPSHOT_BYTES_MAX = 256 * 1024 * 1024;

/** gzip of: length of the JSON (uint32, little-endian), the JSON, the vectors (float32, little-endian). */
export async function encodeSnapshot(snapshot: Snapshot): Promise<Uint8Array> {
  const { vectors, ...body } = snapshot;
  const json = Buffer.from(JSON.stringify(body));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(json.byteLength);
  const numbers = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const bytes = Buffer.concat([header, json, numbers]);
  if (bytes.byteLength > SNAPSHOT_BYTES_MAX) {
    throw new TerminalFault(
      "SNAPSHOT_TOO_LARGE",
      `The index of ${snapshot.repository} takes ${bytes.byteLength} bytes and may take ${SNAPSHOT_BYTES_MAX}; lower chunks_kept_max or excerpt_characters_max in configs/graph.json.`,
    );
  }
  return promisify(gzip)(bytes);
}

/** Throws TerminalFault `SNAPSHOT_CORRUPT` when the bytes are no snapshot. */
export async function decodeSnapshot(bytes: Uint8Array): Promise<Snapshot> {
  try {
    const raw = await promisify(gunzip)(bytes, { maxOutputLength: SNAPSHOT_BYTES_MAX });
    const start = HEADER_BYTES + raw.readUInt32LE(0);
    const body = SnapshotBody.parse(JSON.parse(raw.toString("utf8", HEADER_BYTES, start)));
    const vectors = new Float32Array(raw.buffer.slice(raw.byteOffset + start, raw.byteOffset + raw.length));
    checkPlaces(body, vectors.length);
    return { ...body, vectors };
  } catch (cause) {
    throw new TerminalFault(
      "SNAPSHOT_CORRUPT",
      "The stored index cannot be read; index the repository again to replace it.",
      { cause },
    );
  }
}

function checkPlaces(body: SnapshotBody, numbers: number): void {
  const files = body.files.length;
  const chunks = body.chunks.length;
  const rows = numbers / body.dimensions;
  const sound =
    Number.isInteger(rows) &&
    body.chunks.every(({ file, vector }) => file < files && (vector ?? -1) < rows) &&
    body.imports.every(([from, to]) => from < files && to < files) &&
    body.calls.every(([file, from, to]) => file < files && (from ?? -1) < chunks && to < chunks) &&
    body.tests.every(({ file }) => file < files);
  if (!sound) throw new Error("A place in the snapshot points outside of it.");
}
