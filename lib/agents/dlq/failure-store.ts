import { stepFailureId } from "#lib/agents/dlq/failure-id.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { FAILURE } from "#lib/platform/table/items.ts";
import { keyOf, recordFields } from "#lib/platform/table/keys.ts";
import { getItem, type TablePorts, updateIf } from "#lib/platform/table/operations.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

export interface FailurePorts extends TablePorts {
  runtime: Runtime;
}

/** The record of a failure; undefined when there is none, or its time is over. */
export async function readFailure(
  tenant: string,
  failure_id: string,
  ports: FailurePorts,
): Promise<FailureRecord | undefined> {
  const found = await getItem(keyOf(FAILURE, { tenant, failure_id }), ports);
  const record = found && FailureRecord.parse(recordFields(found));
  return record && !isExpired(record, ports.runtime.now()) ? record : undefined;
}

/** What became of a dead letter. Each is said once; the first time counts. */
export type Settlement = "replayed_at" | "resolved_at" | "discarded_at";

/** Notes it in the failure record, if there is one. After a replay the same failure may be sent anew. */
export async function settleFailureRecord(
  failure: { tenant: string; failure_id: string },
  settlement: Settlement,
  ports: FailurePorts,
): Promise<void> {
  const remove = settlement === "replayed_at" ? " REMOVE sent_at" : "";
  await updateIf(
    keyOf(FAILURE, failure),
    {
      update: `SET #settlement = if_not_exists(#settlement, :at)${remove}`,
      condition: "attribute_exists(pk)",
      names: { "#settlement": settlement },
      values: { at: instant(ports.runtime.now()) },
    },
    ports,
  );
}

/** The step ended well: its failures in all generations before need nobody any more. */
export async function resolveFailures(
  { tenant, idempotency_key }: { tenant: string; idempotency_key: string },
  generation: number,
  ports: FailurePorts,
): Promise<void> {
  for (let before = 0; before < generation; before += 1) {
    const failure_id = stepFailureId(idempotency_key, before);
    await settleFailureRecord({ tenant, failure_id }, "resolved_at", ports);
  }
}
