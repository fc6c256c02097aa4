import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeWork } from "#lib/code/confined/code-work.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/** A source as JSON of path → text, for tests that are not about archives. */
export async function fakeSource(blobs: BlobStore, files: Record<string, string>): Promise<SourceRef> {
  return { kind: "archive", blob: await blobs.write(JSON.stringify(files), "application/json") };
}

/** Stand-ins for `resolveSource`, `unpackSource` and `applyDiff` over such sources; a diff is one too. */
export function fakeSourcePorts(blobs: BlobStore) {
  const write = async (directory: string, json: Uint8Array) => {
    const files: Record<string, string> = JSON.parse(Buffer.from(json).toString());
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
  };
  return {
    resolveSource: async (source: SourceRef) => {
      if (source.kind !== "archive") throw new Error("fake sources are archives");
      return source;
    },
    unpackSource: async (archive: BlobRef, directory: string) => write(directory, await blobs.read(archive)),
    code: {
      ...codeWork,
      applyDiff: async (directory: string, diff: Uint8Array | string) => {
        await write(directory, Buffer.from(diff));
        return [];
      },
    },
  };
}
