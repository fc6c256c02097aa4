import { OTHER_TENANTS } from "#lib/platform/metrics/count-buffer.ts";
import { addedUp, type CountRow } from "#lib/platform/metrics/count-store.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import type { MetricsConfig } from "#schemas/config/metrics.ts";

/** The tenant of the series of all tenants that have none of their own. */
export const FOLDED_TENANT = "other";

/** Of the platform itself, and of messages nobody could read: they are few and always there. */
const OWN_SERIES = [PLATFORM_TENANT, "unknown"];

export interface FoldedCounts {
  rows: CountRow[];
  /** Tenants with series of their own, by name. */
  shown: string[];
  /** Tenants that were added up as `other`. */
  folded: number;
}

/** Which tenants have series of their own. Named ones come first, then the others by name: a tenant keeps its place whatever it does. */
function shownTenants(
  tenants: Iterable<string>,
  { named_tenants, tenants_max }: Pick<MetricsConfig, "named_tenants" | "tenants_max">,
): { shown: Set<string>; all: string[] } {
  const present = new Set(tenants);
  const named = named_tenants.filter((tenant) => present.has(tenant));
  const rest = [...present].filter((tenant) => isTenant(tenant) && !named.includes(tenant)).sort();
  const all = [...named, ...rest].filter((tenant) => tenant !== FOLDED_TENANT);
  return { shown: new Set(all.slice(0, tenants_max)), all };
}

/** The label of each tenant of these: its own name, or `other`. */
export function foldedTenant(
  tenants: Iterable<string>,
  rules: Pick<MetricsConfig, "named_tenants" | "tenants_max">,
): (tenant: string) => string {
  const { shown } = shownTenants(tenants, rules);
  return (tenant) => (shown.has(tenant) || OWN_SERIES.includes(tenant) ? tenant : FOLDED_TENANT);
}

/** Adds up the rows of tenants beyond the cap as tenant `other`, so that the number of series does not grow with tenants. */
export function foldTenants(
  rows: readonly CountRow[],
  rules: Pick<MetricsConfig, "named_tenants" | "tenants_max">,
): FoldedCounts {
  const tenants = rows.map(({ tenant }) => tenant);
  const { shown, all } = shownTenants(tenants, rules);
  const labelOf = foldedTenant(tenants, rules);
  return {
    rows: addedUp(rows.map((row) => ({ ...row, tenant: labelOf(row.tenant) }))),
    shown: [...shown].sort(),
    folded: all.length - shown.size,
  };
}

function isTenant(tenant: string): boolean {
  return !OWN_SERIES.includes(tenant) && tenant !== OTHER_TENANTS;
}
