import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  ResourceNotFoundException,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";

interface Keyed {
  KeySchema?: KeySchemaElement[] | undefined;
  GlobalSecondaryIndexes?: { IndexName?: string; KeySchema?: KeySchemaElement[] }[] | undefined;
}

/**
 * Creates the table unless it exists; its items stay. An existing table with other keys or indexes is
 * refused: the emulator cannot migrate it. Time to live, back-ups and encryption are for AWS only.
 */
export async function createTable(
  client: DynamoDBClient,
  name: string,
  properties: Record<string, unknown>,
): Promise<void> {
  const { AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } =
    properties as unknown as CreateTableCommandInput;
  const existing = await describeTable(client, name);
  if (existing && shape(existing) !== shape({ KeySchema, GlobalSecondaryIndexes })) {
    throw new Error(
      `The local table ${name} was made with other keys or indexes than serverless.yml declares now. ` +
        "Delete the data directory (its tasks and artifacts are lost) or choose another with --data-dir.",
    );
  }
  if (!existing) {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        AttributeDefinitions,
        KeySchema,
        BillingMode,
        ...(GlobalSecondaryIndexes ? { GlobalSecondaryIndexes } : {}),
      }),
    );
  }
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: name });
}

async function describeTable(client: DynamoDBClient, name: string): Promise<Keyed | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function shape({ KeySchema = [], GlobalSecondaryIndexes = [] }: Keyed): string {
  const keys = (schema: KeySchemaElement[]) =>
    schema.map(({ AttributeName, KeyType }) => `${KeyType}:${AttributeName}`).sort();
  return JSON.stringify([
    keys(KeySchema),
    GlobalSecondaryIndexes.map(({ IndexName, KeySchema: index = [] }) => [IndexName, keys(index)]).sort(),
  ]);
}
