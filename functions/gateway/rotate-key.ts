import { withAudit } from "#lib/http/audit/with-audit.ts";
import { draftApiKey } from "#lib/http/auth/issue-api-key.ts";
import { changeKey, putKey } from "#lib/http/auth/key-store.ts";
import { forgetKey } from "#lib/http/auth/verify-api-key.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { NewKey } from "#schemas/http/keys.ts";
import type { ApiKeyRecord } from "#schemas/records/api-key.ts";
import { findKey, type KeyAdmin, type KeyAdminPorts, signed } from "./key-admin.ts";
import { keyView, stateOf } from "./key-view.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

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
  admin: KeyAdmin,
  ports: KeyAdminPorts,
): Promise<NewKey> {
  const { rotation_hours_default, rotation_hours_max } = ports.policy;
  const hours = grace_hours ?? rotation_hours_default;
  if (hours > rotation_hours_max) {
    throw new HttpError(
      422,
      "GRACE_TOO_LONG",
      `the old key may work for ${rotation_hours_max} hours after a rotation at most, not ${hours}`,
    );
  }
  const old = await findKey(key_id, admin, ports);
  const now = ports.runtime.now();
  if (stateOf(old, now) !== "active") throw notActive(old, now);
  const { key, record } = draftApiKey(successor(old, admin, now, ports), ports);
  const grace_ms = now + hours * HOUR_MS;
  const ends_ms = old.valid_until ? Math.min(Date.parse(old.valid_until), grace_ms) : grace_ms;
  const change = { replaced_by: record.key_id, valid_until: instant(ends_ms) };
  const detail = { new_key_id: record.key_id, old_valid_until: change.valid_until };
  const note = signed(admin, { action: "key.rotate", target: key_id, detail });
  await withAudit(note, ports, async () => {
    await putKey(record, ports);
    if (await changeKey(old, change, ["replaced_by", "revoked_at"], ports)) return;
    const revocation = { revoked_at: instant(now), revoked_by: admin.identity.subject };
    await changeKey(record, revocation, [], ports);
    throw notActive(await findKey(key_id, admin, ports), now);
  });
  forgetKey(key_id);
  return { ...keyView(record, now), key, replaces: key_id };
}

function successor(old: ApiKeyRecord, { identity }: KeyAdmin, now: number, { policy }: KeyAdminPorts) {
  const { tenant, name, scopes, valid_until } = old;
  const life_ms = valid_until && Date.parse(valid_until) - Date.parse(old.created_at);
  const end_ms = life_ms && now + Math.min(life_ms, policy.key_days_max * DAY_MS);
  return {
    tenant,
    name,
    scopes,
    created_by: identity.subject,
    ...(end_ms && { valid_until: instant(end_ms) }),
  };
}

function notActive(record: ApiKeyRecord, now: number): HttpError {
  const instead = record.replaced_by ? `rotate its successor ${record.replaced_by}` : "create a new one";
  const state = stateOf(record, now);
  return new HttpError(409, "KEY_NOT_ACTIVE", `key ${record.key_id} is ${state} already; ${instead}`);
}
