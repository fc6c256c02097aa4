import { afterAll, beforeAll, describe } from "vitest";
import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import { dynamodbSnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { realBucket } from "#test/fakes/real-bucket.ts";
import { realTable } from "#test/fakes/real-table.ts";
import { askingContract } from "../contract-graph/asking.ts";
import type { GraphWorld } from "../contract-graph/graph-world.ts";
import { publishingContract } from "../contract-graph/publishing.ts";

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
