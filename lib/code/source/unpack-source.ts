import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/**
 * Unpacks a stored archive into an empty (or absent) directory, as `unpackArchive` does.
 *
 * @throws RejectedInput `ARCHIVE_EMPTY`, `ARCHIVE_TOO_LARGE`, and what `unpackArchive` throws
 */
export async function unpackSource(
  archive: BlobRef,
  directory: string,
  { blobs, limits, unpackArchive }: Pick<SourcePorts, "blobs" | "limits" | "unpackArchive">,
): Promise<void> {
  checkArchiveSize(archive, limits.source_bytes_max);
  await unpackArchive(await blobs.read(archive), directory, limits);
}

function checkArchiveSize(archive: BlobRef, source_bytes_max: number): void {
  if (archive.bytes === 0) {
    throw new RejectedInput("ARCHIVE_EMPTY", "The archive has 0 bytes. Upload a tar.gz of the tree.");
  }
  if (archive.bytes > source_bytes_max) {
    throw new RejectedInput(
      "ARCHIVE_TOO_LARGE",
      `The archive has ${archive.bytes} bytes; at most ${source_bytes_max} are allowed. Leave out build output and dependencies, or raise source_bytes_max in configs/sandbox_limits.json.`,
    );
  }
}
