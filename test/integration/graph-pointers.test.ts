import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import dynalite from "dynalite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import { dynamodbSnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";

const TABLE = "pointers";
const server = dynalite({ createTableMs: 0 });
let client: DynamoDBDocumentClient;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const endpoint = `http://127.0.0.1:${port}`;
  client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: "us-east-1", credentials }));
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
});

afterAll(async () => {
  client.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const pointer = (version: number) => ({
  version,
  revision: sha256(`revision ${version}`),
  blob: { key: `blobs/${version}`, sha256: sha256(`blob ${version}`), bytes: version },
});

describe("dynamodbSnapshotPointers", () => {
  it("moves from the expected version and refuses any other", async () => {
    const pointers = dynamodbSnapshotPointers({ table: client, table_name: TABLE });
    expect(await pointers.get("acme", "shop")).toBeUndefined();
    expect(await pointers.move("acme", "shop", pointer(1), 7)).toBe(false);
    expect(await pointers.move("acme", "shop", pointer(1), undefined)).toBe(true);
    expect(await pointers.move("acme", "shop", pointer(1), undefined)).toBe(false);
    expect(await pointers.move("acme", "shop", pointer(2), 1)).toBe(true);
    expect(await pointers.move("acme", "shop", pointer(3), 1)).toBe(false);
    expect(await pointers.get("acme", "shop")).toEqual(pointer(2));
  });

  it("keeps tenants and repositories apart", async () => {
    const pointers = dynamodbSnapshotPointers({ table: client, table_name: TABLE });
    expect(await pointers.move("one", "same/name", pointer(1), undefined)).toBe(true);
    expect(await pointers.get("two", "same/name")).toBeUndefined();
    expect(await pointers.get("one", "same")).toBeUndefined();
  });

  it("lets exactly one of many movers win each version", async () => {
    const pointers = dynamodbSnapshotPointers({ table: client, table_name: TABLE });
    const moves = await Promise.all(
      Array.from({ length: 20 }, () => pointers.move("acme", "race", pointer(1), undefined)),
    );
    expect(moves.filter(Boolean)).toHaveLength(1);
  });

  it("carries publishers through a race: all succeed, each under a version of its own", async () => {
    const pointers = dynamodbSnapshotPointers({ table: client, table_name: TABLE });
    const blobs = fakeBlobStore();
    const store = embeddedGraphStore({ blobs: () => blobs, pointers });
    const snapshots = await Promise.all(
      [1, 2, 3, 4].map((i) =>
        smallSnapshot({ "a.ts": `export function number${i}() {}` }, { tenant: "racers" }),
      ),
    );
    await Promise.all(snapshots.map((snapshot) => store.publish(snapshot)));
    expect((await pointers.get("racers", "shop"))?.version).toBe(snapshots.length);
    const latest = await store.latest("racers", "shop");
    expect(snapshots.map(({ revision }) => revision)).toContain(latest?.revision);
  });
});
