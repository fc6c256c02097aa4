import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import {
  type CircuitPorts,
  circuitExpiry,
  circuitItem,
  readCircuit,
} from "#lib/resilience/circuit/circuit-table.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

const OPTIONAL = [
  "outage_began_at",
  "next_probe_at",
  "probe_owner",
  "probe_until",
  "closed_at",
  "recovering_until",
  "steady_in_flight",
  "forced",
] as const;

/**
 * Moves the circuit to `next`, of the generation after the one it was decided from. False when
 * somebody else moved it meanwhile.
 */
export async function moveCircuit(
  next: CircuitRecord,
  now: number,
  { table, table_name }: CircuitPorts,
): Promise<boolean> {
  const record = { ...next, expires_at: circuitExpiry(now) };
  const fields = Object.entries(record).filter(([, value]) => value !== undefined);
  const removed = OPTIONAL.filter((name) => record[name] === undefined);
  const before = next.generation - 1;
  const condition = "#generation = :before";
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: circuitItem(next.key),
        UpdateExpression: [
          `SET ${fields.map(([name]) => `#${name} = :${name}`).join(", ")}`,
          removed.length > 0 ? `REMOVE ${removed.map((name) => `#${name}`).join(", ")}` : "",
        ].join(" "),
        ConditionExpression: before === 0 ? `attribute_not_exists(pk) OR ${condition}` : condition,
        ExpressionAttributeNames: Object.fromEntries(
          [...fields.map(([name]) => name), ...removed].map((name) => [`#${name}`, name]),
        ),
        ExpressionAttributeValues: Object.fromEntries([
          ...fields.map(([name, value]) => [`:${name}`, value]),
          [":before", before],
        ]),
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // The SDK may have sent a write twice that took the first time.
    const found = await readCircuit(next.key, { table, table_name });
    return found?.record.generation === next.generation && found.record.writer === next.writer;
  }
}

/** Extends a probe's lease. False when the circuit has moved on without it. */
export async function renewProbe(
  { key, generation, probe_owner }: CircuitRecord,
  probe_until: number,
  { table, table_name }: CircuitPorts,
): Promise<boolean> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: circuitItem(key),
        UpdateExpression: "SET probe_until = :until",
        ConditionExpression: "generation = :generation AND probe_owner = :owner",
        ExpressionAttributeValues: {
          ":until": probe_until,
          ":generation": generation,
          ":owner": probe_owner,
        },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
