import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { SnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { tenantGraphsPartition } from "#lib/platform/table/keys.ts";
import { BlobRef, Sha256 } from "#schemas/primitives.ts";

/** Item `pk = GRAPH#<tenant>#<repository>`, `sk = POINTER`; `by_tenant` lists a tenant's. */
const PointerRecord = z.object({ version: z.int().min(1), revision: Sha256, blob: BlobRef });

/** Pointers in the table; a tenant has no `#` in its name, so keys of two tenants never meet. */
export function dynamodbSnapshotPointers(
  client: DynamoDBDocumentClient,
  table_name: string,
): SnapshotPointers {
  const key = (tenant: string, repository: string) => ({
    pk: `GRAPH#${tenant}#${repository}`,
    sk: "POINTER",
  });
  return {
    async get(tenant, repository) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table_name, Key: key(tenant, repository), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : PointerRecord.parse(Item);
    },

    async move(tenant, repository, next, expected_version) {
      const condition =
        expected_version === undefined
          ? { ConditionExpression: "attribute_not_exists(pk)" }
          : {
              ConditionExpression: "#version = :expected",
              ExpressionAttributeNames: { "#version": "version" },
              ExpressionAttributeValues: { ":expected": expected_version },
            };
      const listed = { gsi1pk: tenantGraphsPartition(tenant), gsi1sk: repository };
      const Item = { ...key(tenant, repository), ...listed, ...next };
      try {
        await client.send(new PutCommand({ TableName: table_name, Item, ...condition }));
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
