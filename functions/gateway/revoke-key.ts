import { withAudit } from "#lib/http/audit/with-audit.ts";
import { changeKey } from "#lib/http/auth/key-store.ts";
import { forgetKey } from "#lib/http/auth/verify-api-key.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { KeyView } from "#schemas/http/keys.ts";
import { findKey, type KeyAdmin, type KeyAdminPorts, signed } from "./key-admin.ts";
import { keyView } from "./key-view.ts";

/**
 * Ends a key for good: here at once, everywhere within seconds. Revoking it again changes nothing.
 * Throws HttpError 404 `KEY_NOT_FOUND`.
 */
export async function revokeKey(key_id: string, admin: KeyAdmin, ports: KeyAdminPorts): Promise<KeyView> {
  const record = await findKey(key_id, admin, ports);
  const now = ports.runtime.now();
  if (!record.revoked_at) {
    const change = { revoked_at: instant(now), revoked_by: admin.identity.subject };
    const note = signed(admin, { action: "key.revoke", target: key_id, detail: { name: record.name } });
    await withAudit(note, ports, () => changeKey(record, change, ["revoked_at"], ports));
    forgetKey(key_id);
  }
  return keyView(await findKey(key_id, admin, ports), now);
}
