import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { parse } from "yaml";
import { startDynamoDb } from "../../local/emulators/dynamodb.ts";
import { createTable } from "../../local/resources/create-table.ts";

/** The table of serverless.yml, new and empty: on the emulator, or where INTEGRATION_DYNAMODB_URL says. */
export async function realTable() {
  const directory = mkdtempSync(join(tmpdir(), "table-"));
  const elsewhere = process.env.INTEGRATION_DYNAMODB_URL;
  const emulator = elsewhere
    ? { url: elsewhere, close: async () => undefined }
    : await startDynamoDb({ directory, port: 0 });
  const table_name = elsewhere ? `table-${randomUUID()}` : "table";
  const client = new DynamoDBClient({
    endpoint: emulator.url,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const declared = parse(readFileSync("serverless.yml", "utf8")).resources.Resources.Table.Properties;
  await createTable(client, table_name, declared);
  return {
    table: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    table_name,
    async close() {
      client.destroy();
      await emulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
