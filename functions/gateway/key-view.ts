import { isPast } from "#lib/http/auth/verify-api-key.ts";
import type { KeyView } from "#schemas/http/keys.ts";
import type { ApiKeyRecord } from "#schemas/records/api-key.ts";

/** A key as the API shows it at a moment (Unix ms). */
export function keyView(record: ApiKeyRecord, now_ms: number): KeyView {
  const { key_id, tenant, name, scopes, created_at, created_by } = record;
  return {
    key_id,
    tenant,
    name,
    scopes,
    state: stateOf(record, now_ms),
    created_at,
    created_by,
    valid_until: record.valid_until ?? null,
    replaced_by: record.replaced_by ?? null,
    revoked_at: record.revoked_at ?? null,
    last_used_at: record.last_used_at ?? null,
  };
}

export function stateOf(record: ApiKeyRecord, now_ms: number): KeyView["state"] {
  if (record.revoked_at) return "revoked";
  if (isPast(record.valid_until, now_ms)) return "expired";
  return record.replaced_by ? "rotated" : "active";
}
