import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { stepFailureId } from "#lib/agents/dlq/failure-id.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

export interface FailurePorts {
  table: DynamoDBDocumentClient;
  table_name: string;
}

/** Where a failure record is; index `by_tenant` lists a tenant's by time. */
export function failureKey(tenant: string, failure_id: string): { pk: string; sk: string } {
  return { pk: `FAILURE#${tenant}`, sk: failure_id };
}

/** The record of a failure; undefined when there is none, or its time is over. */
export async function readFailure(
  tenant: string,
  failure_id: string,
  { table, table_name, runtime }: FailurePorts & { runtime: Runtime },
): Promise<FailureRecord | undefined> {
  const Key = failureKey(tenant, failure_id);
  const { Item } = await table.send(new GetCommand({ TableName: table_name, Key, ConsistentRead: true }));
  if (!Item) return undefined;
  const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, ...fields } = Item;
  const record = FailureRecord.parse(fields);
  return (record.expires_at ?? Number.POSITIVE_INFINITY) * 1000 > runtime.now() ? record : undefined;
}

/** What became of a dead letter. Each is said once; the first time counts. */
export type Settlement = "replayed_at" | "resolved_at" | "discarded_at";

/** Notes it in the failure record, if there is one. After a replay the same failure may be sent anew. */
export async function settleFailureRecord(
  { tenant, failure_id }: { tenant: string; failure_id: string },
  settlement: Settlement,
  { table, table_name, runtime }: FailurePorts & { runtime: Runtime },
): Promise<void> {
  const remove = settlement === "replayed_at" ? " REMOVE sent_at" : "";
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: failureKey(tenant, failure_id),
        UpdateExpression: `SET #settlement = if_not_exists(#settlement, :at)${remove}`,
        ConditionExpression: "attribute_exists(pk)",
        ExpressionAttributeNames: { "#settlement": settlement },
        ExpressionAttributeValues: { ":at": instant(runtime.now()) },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** The step ended well: its failures in all generations before need nobody any more. */
export async function resolveFailures(
  { tenant, idempotency_key }: { tenant: string; idempotency_key: string },
  generation: number,
  ports: FailurePorts & { runtime: Runtime },
): Promise<void> {
  for (let before = 0; before < generation; before += 1) {
    const failure_id = stepFailureId(idempotency_key, before);
    await settleFailureRecord({ tenant, failure_id }, "resolved_at", ports);
  }
}
