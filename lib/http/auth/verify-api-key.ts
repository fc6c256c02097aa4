import { LRUCache } from "lru-cache";
import { matchesSecret, parseApiKey } from "#lib/http/auth/api-key.ts";
import type { CredentialCheck } from "#lib/http/auth/identity.ts";
import { changeKey, type KeyPorts, readKey } from "#lib/http/auth/key-store.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { ApiKeyRecord } from "#schemas/records/api-key.ts";

/** A revoked key works this much longer at most, in a process that has just seen it. */
export const KEY_CACHE_MS = 2000;
const CACHE_ENTRIES_MAX = 1000;

const cache = new LRUCache<string, { record: ApiKeyRecord; until_ms: number }>({ max: CACHE_ENTRIES_MAX });

/** Makes this process ask the table again. */
export function forgetKey(key_id: string): void {
  cache.delete(key_id);
}

/**
 * Whose key this is. An unknown key costs the same work as a wrong secret: a read, an HMAC and a
 * comparison in constant time.
 */
export async function verifyApiKey(
  text: string,
  ports: KeyPorts & { last_used_minutes: number; log: Log },
): Promise<CredentialCheck> {
  const presented = parseApiKey(text);
  if (!presented) return { refused: "malformed key" };
  const { key_id } = presented;
  const record = await cachedKey(key_id, ports);
  const matches = matchesSecret(presented, record?.secret_hmac, ports.pepper);
  if (!record) return { refused: `unknown key ${key_id}` };
  if (!matches) return { refused: `wrong secret for key ${key_id}` };
  const now = ports.runtime.now();
  if (record.revoked_at) return { refused: `revoked key ${key_id}` };
  if (isPast(record.valid_until, now)) return { refused: `expired key ${key_id}` };
  await noteUse(record, now, ports);
  const { tenant, scopes, valid_until } = record;
  return { identity: { tenant, subject: `key:${key_id}`, scopes, valid_until } };
}

/** Whether an RFC 3339 end has come. */
export function isPast(valid_until: string | undefined, now_ms: number): boolean {
  return valid_until !== undefined && Date.parse(valid_until) <= now_ms;
}

/** Keys that do not exist are not remembered: a new key works at once. */
async function cachedKey(key_id: string, ports: KeyPorts): Promise<ApiKeyRecord | undefined> {
  const now = ports.runtime.now();
  const cached = cache.get(key_id);
  if (cached && cached.until_ms > now && cached.until_ms <= now + KEY_CACHE_MS) return cached.record;
  const record = await readKey(key_id, ports);
  if (!record) return undefined;
  cache.set(key_id, { record, until_ms: now + KEY_CACHE_MS });
  return record;
}

/** One write a key in `last_used_minutes`, whatever the load; losing it refuses nobody. */
async function noteUse(
  record: ApiKeyRecord,
  now: number,
  ports: KeyPorts & { last_used_minutes: number; log: Log },
): Promise<void> {
  const known_ms = record.last_used_at === undefined ? undefined : Date.parse(record.last_used_at);
  if (known_ms !== undefined && now - known_ms < ports.last_used_minutes * 60_000) return;
  record.last_used_at = instant(now); // the cached record too: once a process
  try {
    await changeKey(record, { last_used_at: record.last_used_at }, [], ports);
  } catch (error) {
    ports.log.warn("KEY_USE_NOT_NOTED", `the last use of key ${record.key_id} was not written`, {
      reason: String(error),
    });
  }
}
