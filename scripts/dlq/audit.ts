import { userInfo } from "node:os";
import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { auditPorts, recordAudit } from "#lib/http/audit/record-audit.ts";
import { awsHttpPlatform } from "#lib/http/platform.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { Tenant } from "#schemas/primitives.ts";
import { type DlqOptions, filterOf } from "./options.ts";

type Action = "dlq.replay" | "dlq.purge" | "dlq.move";

/** Ids told in one entry; the count is always told. */
const IDS_MAX = 10;

/**
 * Tells the platform's trail what an operator orders of the DLQs, before it is done; with what became
 * of it, tells the trail of each tenant concerned. Who: the name on this machine, with whose AWS
 * credentials it is done (CloudTrail knows those).
 */
export async function auditOrder(
  action: Action,
  ids: string[],
  options: DlqOptions,
): Promise<(done: { one: DeadLetterCase; did: string }[]) => Promise<void>> {
  const ports = auditPorts(awsHttpPlatform());
  const subject = `aws:${userInfo().username.replace(/[^\x21-\x7e]/g, "_")}`;
  const target = options.service ?? "all";
  // By what they were chosen, not which: the administrators of every tenant may read this trail.
  const chosen_by = Object.keys(filterOf(ids, options)).join(" ");
  const order = { subject, action, target, detail: { chosen_by, ids: ids.length } };
  const { entry_id } = await recordAudit({ ...order, tenant: PLATFORM_TENANT, outcome: "ordered" }, ports);
  return async (done) => {
    for (const [owner, cases] of Map.groupBy(done, ({ one }) => one.letter.tenant)) {
      const tenant = Tenant.safeParse(owner).success && owner !== "unknown" ? owner : PLATFORM_TENANT;
      const counts = Object.fromEntries(
        [...Map.groupBy(cases, ({ did }) => did)].map(([did, members]) => [did, members.length]),
      );
      const messages = cases.slice(0, IDS_MAX).map(({ one }) => one.id);
      const detail = { ...counts, messages: messages.join(" ") };
      await recordAudit({ ...order, tenant, detail, outcome: "done", of: entry_id }, ports);
    }
  };
}
