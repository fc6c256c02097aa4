import { withAudit } from "#lib/http/audit/with-audit.ts";
import { draftApiKey } from "#lib/http/auth/issue-api-key.ts";
import { keysOfTenant, parseKeyItem, putKey } from "#lib/http/auth/key-store.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import type { KeyRequest, NewKey } from "#schemas/http/keys.ts";
import { type KeyAdmin, type KeyAdminPorts, signed } from "./key-admin.ts";
import { keyView, stateOf } from "./key-view.ts";

const DAY_MS = 86_400_000;

/**
 * Makes a key for the administrator's own tenant. Throws HttpError 422 `KEY_TOO_LONG_LIVED`, 409
 * `KEYS_TOO_MANY`.
 */
export async function createKey(
  { name, scopes, expires_in_days }: KeyRequest,
  admin: KeyAdmin,
  ports: KeyAdminPorts,
): Promise<NewKey> {
  const { key_days_default, key_days_max } = ports.policy;
  const days = expires_in_days ?? key_days_default;
  if (days > key_days_max) {
    throw new HttpError(
      422,
      "KEY_TOO_LONG_LIVED",
      `a key may work for ${key_days_max} days at most, not ${days}; make one that ends earlier and rotate it`,
    );
  }
  const { tenant, subject } = admin.identity;
  await demandRoom(tenant, ports);
  const now = ports.runtime.now();
  const wish = { tenant, name, scopes, created_by: subject, valid_until: instant(now + days * DAY_MS) };
  const { key, record } = draftApiKey(wish, ports);
  const { valid_until } = wish;
  const detail = { name, scopes: scopes.join(" "), valid_until };
  const note = signed(admin, { action: "key.create", target: record.key_id, detail });
  await withAudit(note, ports, () => putKey(record, ports));
  return { ...keyView(record, now), key, replaces: null };
}

/** A forgotten loop must not fill the table; a few more than allowed may pass at the same moment. */
async function demandRoom(tenant: string, ports: KeyAdminPorts): Promise<void> {
  const { keys_per_tenant_max } = ports.policy;
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const record = parseKeyItem(item);
    return record && ["active", "rotated"].includes(stateOf(record, now)) ? true : undefined;
  };
  const request = { limit: keys_per_tenant_max, read, filters: { in_force: true } };
  const { rows } = await queryPage(keysOfTenant(tenant), request, ports);
  if (rows.length < keys_per_tenant_max) return;
  throw new HttpError(
    409,
    "KEYS_TOO_MANY",
    `tenant ${tenant} has ${rows.length} keys in force, which is the limit; revoke one that nobody uses`,
  );
}
