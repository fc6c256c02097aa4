import type { AuditNote, AuditPorts } from "#lib/http/audit/record-audit.ts";
import type { Identity } from "#lib/http/auth/identity.ts";
import { readKey } from "#lib/http/auth/key-store.ts";
import type { CredentialPorts } from "#lib/http/auth/verify-credential.ts";
import { credentialPorts } from "#lib/http/auth/verify-credential.ts";
import type { ApiRequest } from "#lib/http/route.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { type ApiKeyRecord, KeyId } from "#schemas/records/api-key.ts";

/** Somebody at work on the keys of his own tenant, and where from. */
export interface KeyAdmin {
  identity: Identity;
  trace_id: string;
  source_ip: string;
}

export type KeyAdminPorts = CredentialPorts & AuditPorts;

/** Who asks and what with, from a request that was let in. */
export function keyAdmin({
  identity,
  trace,
  source_ip,
  platform,
  log,
}: Pick<ApiRequest<unknown, unknown>, "identity" | "trace" | "source_ip" | "platform" | "log">) {
  if (!identity) throw new Error("a route for administrators must not be public");
  const credentials = credentialPorts(platform, log);
  const ports: KeyAdminPorts = { ...credentials, audit_days: credentials.policy.audit_days };
  return { admin: { identity, trace_id: trace.trace_id, source_ip } satisfies KeyAdmin, ports };
}

/** An audit entry's part about who. */
export function signed(
  { identity, trace_id, source_ip }: KeyAdmin,
  what: Pick<AuditNote, "action" | "target" | "detail">,
): Omit<AuditNote, "outcome" | "of"> {
  return { ...what, tenant: identity.tenant, subject: identity.subject, trace_id, source_ip };
}

/** A key of the administrator's own tenant. Throws HttpError 404 `KEY_NOT_FOUND`, for another tenant's too. */
export async function findKey(key_id: string, admin: KeyAdmin, ports: KeyAdminPorts): Promise<ApiKeyRecord> {
  const record = KeyId.safeParse(key_id).success ? await readKey(key_id, ports) : undefined;
  if (record?.tenant !== admin.identity.tenant) {
    throw new HttpError(404, "KEY_NOT_FOUND", `there is no key ${key_id}; agents keys list shows yours`);
  }
  return record;
}
