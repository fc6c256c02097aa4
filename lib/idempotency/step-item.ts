import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { ClaimKey, Lease, StepIdentity } from "#lib/idempotency/claims.ts";
import { LeaseLost } from "#lib/idempotency/lease-lost.ts";
import type { Runtime } from "#lib/runtime/runtime.ts";
import { stepSortKey, taskPartition } from "#lib/tasks/keys.ts";
import { StepRecord } from "#schemas/records/step.ts";

export interface ClaimPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
}

type Values = Record<string, unknown>;

/** One conditional write to one item. `names` besides `#status` and `#owner`. */
export interface StepWrite {
  update: string;
  condition: string;
  names?: Record<string, string>;
  values: Values;
}

function itemKey(key: ClaimKey) {
  return { pk: taskPartition(key.tenant, key.task_id), sk: stepSortKey(key.step, key.round) };
}

/** A step item of the table as a record, without its keys. */
export function parseStepItem(item: Values): StepRecord {
  const { pk: _pk, sk: _sk, gsi1pk: _gsi1pk, gsi1sk: _gsi1sk, ...record } = item;
  return StepRecord.parse(record);
}

export async function readStep(key: ClaimKey, ports: ClaimPorts): Promise<StepRecord | undefined> {
  const found = await ports.table.send(
    new GetCommand({ TableName: ports.table_name, Key: itemKey(key), ConsistentRead: true }),
  );
  return found.Item ? parseStepItem(found.Item) : undefined;
}

/** Takes away a record that counts as absent, on condition that nobody claimed it since. */
export async function deleteExpiredStep(key: ClaimKey, { fence }: StepRecord, ports: ClaimPorts) {
  try {
    await ports.table.send(
      new DeleteCommand({
        TableName: ports.table_name,
        Key: itemKey(key),
        ConditionExpression: "fence = :fence AND expires_at <= :now",
        ExpressionAttributeValues: { ":fence": fence, ":now": Math.floor(ports.runtime.now() / 1000) },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** The record as written, or undefined when the condition did not hold. */
export async function writeStep(
  key: ClaimKey,
  { update, condition, names, values }: StepWrite,
  ports: ClaimPorts,
): Promise<StepRecord | undefined> {
  try {
    const written = await ports.table.send(
      new UpdateCommand({
        TableName: ports.table_name,
        Key: itemKey(key),
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeNames: { "#status": "status", ...names },
        ExpressionAttributeValues: values,
        ReturnValues: "ALL_NEW",
      }),
    );
    return parseStepItem(written.Attributes ?? {});
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/**
 * A write on the owner's token. When it is refused, reading again tells a lost lease from a write
 * of ours that took, lost its answer and was sent twice by the SDK: `took` says so of the record.
 */
export async function writeAsOwner(
  key: ClaimKey,
  lease: Lease,
  { update, values }: Omit<StepWrite, "condition" | "names">,
  took: (record: StepRecord) => boolean,
  ports: ClaimPorts,
): Promise<void> {
  const written = await writeStep(
    key,
    {
      update,
      condition: "#owner = :owner AND fence = :fence AND #status = :running",
      names: { "#owner": "owner" },
      values: { ...values, ":owner": lease.owner, ":fence": lease.fence, ":running": "running" },
    },
    ports,
  );
  if (written) return;
  const record = await readStep(key, ports);
  const ours = record?.owner === lease.owner && record.fence === lease.fence;
  if (!(record && ours && took(record))) throw new LeaseLost(key.step);
}

/** What the first write to a step record says of it; later writes leave these as they are. */
export function identityAssignments(
  { key, service, idempotency_key, source_hash, expires_at }: StepIdentity,
  at: string,
) {
  const fields: Values = { ...key, service, idempotency_key, source_hash, started_at: at };
  const names: Record<string, string> = {};
  const values: Values = { ":expires_at": expires_at };
  const parts = Object.entries(fields).map(([name, value]) => {
    names[`#${name}`] = name;
    values[`:${name}`] = value;
    return `#${name} = if_not_exists(#${name}, :${name})`;
  });
  return { names, values, expression: [...parts, "expires_at = :expires_at"].join(", ") };
}
