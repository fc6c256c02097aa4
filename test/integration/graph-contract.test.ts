import { afterAll, beforeAll, describe } from "vitest";
import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import { decodeSnapshot, encodeSnapshot } from "#lib/code/graph/snapshot.ts";
import { dynamodbSnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { realBucket } from "#test/fakes/real-bucket.ts";
import { realTable } from "#test/fakes/real-table.ts";
import { askingContract } from "../contract-graph/asking.ts";
import type { Damage, GraphWorld } from "../contract-graph/graph-world.ts";
import { publishingContract } from "../contract-graph/publishing.ts";
import { verifyingContract } from "../contract-graph/verifying.ts";

/** A stored snapshot, changed. A vector of another length leaves the vectors too short, as a lost tail would. */
async function damaged(stored: Uint8Array, how: Damage): Promise<Uint8Array> {
  if (how === "half") return stored.subarray(0, stored.length / 2);
  const { vectors, ...snapshot } = await decodeSnapshot(stored);
  const rest = vectors.subarray(snapshot.dimensions);
  const row = Float32Array.from(how.vector);
  return encodeSnapshot({ ...snapshot, vectors: Float32Array.from([...rest, ...row]) });
}

async function embeddedWorld(): Promise<GraphWorld> {
  const { s3, bucket, close: closeBucket } = await realBucket();
  const { table, table_name, close: closeTable } = await realTable();
  const pointers = dynamodbSnapshotPointers({ table, table_name });
  return {
    store(beforeWrite = async () => {}) {
      return embeddedGraphStore({
        blobs: (tenant) => {
          const blobs = s3Blobs({ tenant, snapshots: true, s3, bucket });
          const write: typeof blobs.write = async (...given) => {
            await beforeWrite();
            return blobs.write(...given);
          };
          return { ...blobs, write };
        },
        pointers: {
          ...pointers,
          async move(...given) {
            await beforeWrite();
            return pointers.move(...given);
          },
        },
      });
    },
    async damage(repository, how) {
      const pointer = await pointers.get("acme", repository);
      if (!pointer) throw new Error(`Nothing is indexed as ${repository}.`);
      const blobs = s3Blobs({ tenant: "acme", snapshots: true, s3, bucket });
      const bytes = await damaged(await blobs.read(pointer.blob), how);
      const blob = await blobs.write(bytes, "application/gzip");
      await pointers.move(
        "acme",
        repository,
        { ...pointer, version: pointer.version + 1, blob },
        pointer.version,
      );
    },
    async close() {
      await closeBucket();
      await closeTable();
    },
  };
}

let world: GraphWorld;
beforeAll(async () => {
  world = await embeddedWorld();
});
afterAll(() => world.close());

describe("the graph in S3 and the table: publishing", () => publishingContract(() => world));
describe("the graph in S3 and the table: asking", () => askingContract(() => world));
describe("the graph in S3 and the table: verifying", () => verifyingContract(() => world));
