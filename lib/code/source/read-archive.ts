import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/**
 * Streams the entries of a tar.gz. Never holds more than one chunk decompressed.
 *
 * @param bytes_max decompressed bytes, headers and padding included
 * @param onEntry gets each entry once, in order, and must consume it before it returns (`resume` or "data")
 *
 * @throws RejectedInput `ARCHIVE_CORRUPT` (not gzip, cut off, not a tar), `ARCHIVE_TOO_LARGE`
 * (decompressed past `bytes_max`), `ARCHIVE_UNSAFE_ENTRY` (an entry of a kind no tree has).
 */
export async function readArchive(
  bytes: Uint8Array,
  bytes_max: number,
  onEntry: (entry: ReadEntry) => void,
): Promise<void> {
  const state = { failure: undefined as unknown, ended: false };
  const parser = tarParser(onEntry, state);
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  gunzip.end(bytes);
  let bytes_read = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (bytes_read === 0 && chunk[0] === 0x1f && chunk[1] === 0x8b) throw compressedTwice();
      bytes_read += chunk.length;
      if (bytes_read > bytes_max) throw tooLarge(bytes_max);
      // What follows the end-of-archive marker is read for its checksum, but is no part of the tar.
      if (!state.ended) parser.write(chunk);
      if (state.failure !== undefined) throw state.failure;
    }
  } catch (error) {
    throw isZlibError(error) ? corrupt(`it is not a whole gzip file (${error.message})`, error) : error;
  }
  parser.end();
  if (state.failure !== undefined) throw state.failure;
}

function tarParser(onEntry: (entry: ReadEntry) => void, state: { failure: unknown; ended: boolean }): Parser {
  const parser = new Parser({ strict: true, zstd: false });
  const fail = (error: unknown) => {
    state.failure ??= error;
  };
  parser.on("error", (error: Error) => {
    // All there is to say against an archive that came to its end marker is that it has no entry.
    if (!state.ended) fail(corrupt(`it is not a whole tar (${error.message})`, error));
  });
  parser.on("eof", () => {
    state.ended = true;
  });
  parser.on("ignoredEntry", (entry: ReadEntry) =>
    fail(
      new RejectedInput(
        "ARCHIVE_UNSAFE_ENTRY",
        `Entry ${JSON.stringify(entry.path)} is of type ${entry.type}, which no source tree has. Pack plain files, directories and symbolic links only.`,
      ),
    ),
  );
  parser.on("entry", (entry: ReadEntry) => {
    try {
      if (state.failure === undefined) onEntry(entry);
      else entry.resume();
    } catch (error) {
      fail(error);
      entry.resume();
    }
  });
  return parser;
}

function corrupt(reason: string, cause: unknown): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_CORRUPT",
    `The archive cannot be read: ${reason}. Send a tar compressed with gzip.`,
    {
      cause,
    },
  );
}

function compressedTwice(): RejectedInput {
  return corrupt("it is gzip within gzip", undefined);
}

function tooLarge(bytes_max: number): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_TOO_LARGE",
    `The archive decompresses to more than ${bytes_max} bytes. Leave out build output and dependencies, or raise tree_bytes_max in configs/sandbox_limits.json.`,
  );
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z_|^ERR_ZLIB|^ERR_TRAILING/.test(String(error.code));
}
