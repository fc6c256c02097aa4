import { type AuditNote, type AuditPorts, auditPorts, withAudit } from "#lib/http/audit/record-audit.ts";
import type { ApiRequest } from "#lib/http/route.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";

/** Whoever manages something of their tenant by a request. */
export interface Administrator {
  tenant: string;
  subject: string;
  ports: AuditPorts;
  /** Does what an audit entry says, as `withAudit`. */
  audited<Result>(
    what: Pick<AuditNote, "action" | "target" | "detail">,
    action: () => Promise<Result>,
  ): Promise<Result>;
}

export function administrator({
  tenant,
  identity,
  trace,
  source_ip,
  platform,
}: Pick<
  ApiRequest<unknown, unknown>,
  "tenant" | "identity" | "trace" | "source_ip" | "platform"
>): Administrator {
  const ports = auditPorts(platform);
  const subject = identity?.subject ?? "unknown";
  const who = { tenant, subject, trace_id: trace.trace_id, source_ip };
  return {
    tenant,
    subject,
    ports,
    audited: (what, action) => withAudit({ ...who, ...what }, ports, action),
  };
}

interface RotationPolicy {
  rotation_hours_default: number;
  rotation_hours_max: number;
}

/**
 * How long, in hours, what is rotated stays in force. `old_may` says what that is, as in `the old key may work`.
 * Throws HttpError 422 `GRACE_TOO_LONG`.
 */
export function graceHours(
  asked: number | undefined,
  { rotation_hours_default, rotation_hours_max }: RotationPolicy,
  old_may: string,
): number {
  const hours = asked ?? rotation_hours_default;
  if (hours <= rotation_hours_max) return hours;
  throw new HttpError(
    "GRACE_TOO_LONG",
    `${old_may} for ${rotation_hours_max} hours after a rotation at most, not ${hours}`,
  );
}
