import { type AuditPlatform, auditPorts, recordAudit } from "#lib/http/audit/record-audit.ts";
import type { ConfigEvent } from "#lib/platform/config/config-file.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";

/** Every process sees a configuration change by itself. Processes that see it in the same period of this length write one entry. */
const SAME_CHANGE_MS = 600_000;

/** Records in the audit trail the configuration changes that a process has accepted or refused. Never throws. */
export async function auditConfigChanges(
  events: readonly ConfigEvent[],
  { service, platform, log }: { service: string; platform: AuditPlatform; log: Log },
): Promise<void> {
  for (const { event, fields } of events) {
    if (event !== "CONFIG_CHANGED" && event !== "CONFIG_REJECTED") continue;
    const { file, old_hash, new_hash, hash, source, reason } = fields;
    const detail = textsOf({ old_hash, new_hash, hash, source, reason });
    const action = event === "CONFIG_CHANGED" ? "config.change" : "config.reject";
    try {
      const audit = auditPorts(platform);
      const period = Math.floor(audit.runtime.now() / SAME_CHANGE_MS);
      const entry_id = sha256(JSON.stringify([action, file, detail, period])).slice(0, 16);
      await recordAudit(
        {
          entry_id,
          tenant: PLATFORM_TENANT,
          subject: `service:${service}`,
          action,
          target: file,
          outcome: "seen",
          detail,
        },
        audit,
      );
    } catch (error) {
      log.warn("AUDIT_LOST", `a change of ${file} is not in the audit trail`, { reason: String(error) });
    }
  }
}

function textsOf(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
