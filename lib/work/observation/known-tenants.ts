import { readTotals } from "#lib/platform/metrics/count-store.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";

/** Every tenant that counted anything, and `unknown`, whose messages nobody could read. */
export async function knownTenants(ports: TablePorts & { runtime: Pick<Runtime, "now"> }): Promise<string[]> {
  const { rows } = await readTotals(undefined, ports.runtime.now(), ports);
  const tenants = new Set(rows.map(({ tenant }) => tenant).filter((tenant) => !tenant.startsWith("_")));
  return [...tenants.add("unknown")];
}
