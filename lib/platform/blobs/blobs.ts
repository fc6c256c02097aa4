import type { Readable } from "node:stream";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/** Trace context of the work that reads and writes blobs. */
export interface BlobTrace extends TraceContext {
  /** Called with the trace that wrote a blob which is read. */
  link?(other: TraceContext): void;
}

export interface WriteOptions {
  /** Small bytes travel in the reference whatever others took of the room: whoever reads the ledger needs them. */
  in_ledger?: boolean;
}

/** Content-addressed bytes of one tenant. Writing the same bytes twice is the same write. */
export interface BlobStore {
  write(bytes: Uint8Array | string, content_type: string, options?: WriteOptions): Promise<BlobRef>;
  /** Throws TerminalFault `BLOB_CORRUPT` when the bytes are not what the reference says. */
  read(reference: BlobRef): Promise<Buffer>;
  readText(reference: BlobRef): Promise<string>;
  stream(reference: BlobRef): Promise<Readable>;
}
