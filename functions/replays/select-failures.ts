import { COUNTED_MAX, openFailures } from "#lib/agents/dlq/failure-lists.ts";
import { failurePlace } from "#lib/agents/dlq/failure-name.ts";
import { type FailurePlace, isOpen, readFailure } from "#lib/agents/dlq/failure-store.ts";
import type { ReplayJobRecord } from "#schemas/records/replay.ts";
import type { ReplayJobPorts } from "./ports.ts";

/** A failure that a job takes. */
interface Selected {
  tenant: string;
  failure_id: string;
  service: string;
  task_id?: string | undefined;
  is_open: boolean;
}

/**
 * The failures that a job takes: those that it names, or the open ones that match and were recorded before it was
 * created, the earliest first. A name of another tenant's failure selects nothing.
 */
export async function selectFailures(
  { selection, tenant, all_tenants, created_at, method }: ReplayJobRecord,
  ports: ReplayJobPorts,
): Promise<{ found: Selected[]; truncated: boolean }> {
  if (method === "move") return { found: [], truncated: false }; // the queue itself is the selection
  if (selection.failures) {
    const places = [...new Set(selection.failures)]
      .map(failurePlace)
      .filter((one) => all_tenants || one.tenant === tenant);
    const found = await Promise.all(places.map((place) => named(place, ports)));
    return { found, truncated: false };
  }
  const filter = selection.filter ?? {};
  const scope = all_tenants ? ({ all: true } as const) : { tenant };
  const limit = selection.limit ?? COUNTED_MAX;
  const options = { order: "earliest", limit, recorded_before: created_at } as const;
  const { found, truncated } = await openFailures(scope, filter, options, ports);
  const selected = found.map(({ failure_id, record }) => {
    const { tenant, service, task_id } = record;
    return { tenant, failure_id, service, task_id, is_open: true };
  });
  return { found: selected, truncated };
}

/** A failure that is named; its agent is unknown when there is no such failure. */
async function named({ tenant, failure_id }: FailurePlace, ports: ReplayJobPorts): Promise<Selected> {
  const record = await readFailure(tenant, failure_id, ports);
  const is_open = record !== undefined && isOpen(record);
  return { tenant, failure_id, service: record?.service ?? "unknown", task_id: record?.task_id, is_open };
}
