import { draftApiKey } from "#lib/http/auth/api-key.ts";
import { changeKey, keysOfTenant, parseKeyItem, putKey, readKey } from "#lib/http/auth/key-store.ts";
import { forgetKey, isPast } from "#lib/http/auth/verify-api-key.ts";
import { type CredentialPorts, credentialPorts } from "#lib/http/auth/verify-credential.ts";
import type { ApiRequest } from "#lib/http/route.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import type { TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { KeyList, KeyRequest, KeyView, NewKey } from "#schemas/http/keys.ts";
import { type ApiKeyRecord, KeyId } from "#schemas/records/api-key.ts";
import { type Administrator, administrator, graceHours } from "./administrator.ts";
import type { KeyQuery } from "./queries.ts";

/** The administrator and the ports of an authenticated request. */
export function keyAdmin(request: ApiRequest<unknown, unknown>) {
  return { admin: administrator(request), ports: credentialPorts(request.platform, request.log) };
}

/** A key of the administrator's own tenant. Throws HttpError 404 `KEY_NOT_FOUND`, for another tenant's too. */
async function findKey(
  key_id: string,
  { tenant }: Administrator,
  ports: CredentialPorts,
): Promise<ApiKeyRecord> {
  const record = KeyId.safeParse(key_id).success ? await readKey(key_id, ports) : undefined;
  if (record?.tenant !== tenant) {
    throw new HttpError("KEY_NOT_FOUND", `there is no key ${key_id}; agents keys list shows yours`);
  }
  return record;
}

/** A key as the API shows it at a moment (Unix ms). */
function keyView(record: ApiKeyRecord, now_ms: number): KeyView {
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

function stateOf(record: ApiKeyRecord, now_ms: number): KeyView["state"] {
  if (record.revoked_at) return "revoked";
  if (isPast(record.valid_until, now_ms)) return "expired";
  return record.replaced_by ? "rotated" : "active";
}

const DAY_MS = 86_400_000;

/**
 * Creates a key for the administrator's own tenant. Throws HttpError 422 `KEY_TOO_LONG_LIVED`, 409
 * `KEYS_TOO_MANY`.
 */
export async function createKey(
  { name, scopes, expires_in_days }: KeyRequest,
  admin: Administrator,
  ports: CredentialPorts,
): Promise<NewKey> {
  const { key_days_default, key_days_max } = ports.policy;
  const days = expires_in_days ?? key_days_default;
  if (days > key_days_max) {
    throw new HttpError(
      "KEY_TOO_LONG_LIVED",
      `a key may work for ${key_days_max} days at most, not ${days}; make one that ends earlier and rotate it`,
    );
  }
  const { tenant, subject } = admin;
  await demandRoom(tenant, ports);
  const now = ports.runtime.now();
  const wish = { tenant, name, scopes, created_by: subject, valid_until: instant(now + days * DAY_MS) };
  const { key, record } = draftApiKey(wish, ports);
  const { valid_until } = wish;
  const detail = { name, scopes: scopes.join(" "), valid_until };
  const what = { action: "key.create", target: record.key_id, detail };
  await admin.audited(what, () => putKey(record, ports));
  return { ...keyView(record, now), key, replaces: null };
}

/** Limits the keys of a tenant. Concurrent requests may exceed the limit by a few. Throws HttpError 409 `KEYS_TOO_MANY`. */
async function demandRoom(tenant: string, ports: CredentialPorts): Promise<void> {
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
    "KEYS_TOO_MANY",
    `tenant ${tenant} has ${rows.length} keys in force, which is the limit; revoke one that is not in use`,
  );
}

/** A tenant's keys, newest first, including keys that ended recently. */
export async function listKeys(tenant: string, query: KeyQuery, ports: TaskPorts): Promise<KeyList> {
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const record = parseKeyItem(item);
    return record && !isExpired(record, now) ? keyView(record, now) : undefined;
  };
  const page = await queryPage(keysOfTenant(tenant), { ...query, filters: {}, read }, ports);
  return { keys: page.rows, next_cursor: page.next_cursor };
}

const HOUR_MS = 3_600_000;

interface Rotation {
  key_id: string;
  grace_hours: number | undefined;
}

/**
 * A key's successor with the same name, scopes and lifetime, in force at once; the old key works until
 * its grace ends. The successor is written first: a crash in between leaves a key too many, whose
 * secret nobody has, never one that ends without a successor. Throws HttpError 404 `KEY_NOT_FOUND`,
 * 409 `KEY_NOT_ACTIVE`, 422 `GRACE_TOO_LONG`.
 */
export async function rotateKey(
  { key_id, grace_hours }: Rotation,
  admin: Administrator,
  ports: CredentialPorts,
): Promise<NewKey> {
  const hours = graceHours(grace_hours, ports.policy, "the old key may work");
  const old = await findKey(key_id, admin, ports);
  const now = ports.runtime.now();
  if (stateOf(old, now) !== "active") throw notActive(old, now);
  const { key, record } = draftApiKey(successor(old, admin, now, ports), ports);
  const grace_ms = now + hours * HOUR_MS;
  const ends_ms = old.valid_until ? Math.min(Date.parse(old.valid_until), grace_ms) : grace_ms;
  const change = { replaced_by: record.key_id, valid_until: instant(ends_ms) };
  const detail = { new_key_id: record.key_id, old_valid_until: change.valid_until };
  await admin.audited({ action: "key.rotate", target: key_id, detail }, async () => {
    await putKey(record, ports);
    if (await changeKey(old, change, ["replaced_by", "revoked_at"], ports)) return;
    const revocation = { revoked_at: instant(now), revoked_by: admin.subject };
    await changeKey(record, revocation, [], ports);
    throw notActive(await findKey(key_id, admin, ports), now);
  });
  forgetKey(key_id);
  return { ...keyView(record, now), key, replaces: key_id };
}

function successor(old: ApiKeyRecord, { subject }: Administrator, now: number, { policy }: CredentialPorts) {
  const { tenant, name, scopes, valid_until } = old;
  const life_ms = valid_until && Date.parse(valid_until) - Date.parse(old.created_at);
  const end_ms = life_ms && now + Math.min(life_ms, policy.key_days_max * DAY_MS);
  return {
    tenant,
    name,
    scopes,
    created_by: subject,
    ...(end_ms && { valid_until: instant(end_ms) }),
  };
}

function notActive(record: ApiKeyRecord, now: number): HttpError {
  const instead = record.replaced_by ? `rotate its successor ${record.replaced_by}` : "create a new one";
  const state = stateOf(record, now);
  return new HttpError("KEY_NOT_ACTIVE", `key ${record.key_id} is ${state} already; ${instead}`);
}

/**
 * Revokes a key: in this process at once, in all others within seconds. Revoking it again changes nothing.
 * Throws HttpError 404 `KEY_NOT_FOUND`.
 */
export async function revokeKey(
  key_id: string,
  admin: Administrator,
  ports: CredentialPorts,
): Promise<KeyView> {
  const record = await findKey(key_id, admin, ports);
  const now = ports.runtime.now();
  if (!record.revoked_at) {
    const change = { revoked_at: instant(now), revoked_by: admin.subject };
    const what = { action: "key.revoke", target: key_id, detail: { name: record.name } };
    await admin.audited(what, () => changeKey(record, change, ["revoked_at"], ports));
    forgetKey(key_id);
  }
  return keyView(await findKey(key_id, admin, ports), now);
}
