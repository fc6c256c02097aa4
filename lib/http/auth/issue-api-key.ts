import { formatApiKey, hashSecret, newApiKey } from "#lib/http/auth/api-key-text.ts";
import { type KeyPorts, putKey } from "#lib/http/auth/key-store.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { ApiKeyRecord } from "#schemas/records/api-key.ts";

export interface KeyWish extends Pick<ApiKeyRecord, "tenant" | "name" | "scopes" | "created_by"> {
  /** RFC 3339; without it the key does not expire. */
  valid_until?: string | undefined;
}

export interface IssuedKey {
  /** The whole key. It cannot be read again: only a hash of it is kept. */
  key: string;
  record: ApiKeyRecord;
}

/** A new key, not in force before `putKey`, so that an audit entry can name it first. */
export function draftApiKey(wish: KeyWish, { runtime, pepper }: KeyPorts): IssuedKey {
  const text = newApiKey(runtime.hex);
  const { valid_until, ...rest } = wish;
  const record: ApiKeyRecord = {
    key_id: text.key_id,
    ...rest,
    secret_hmac: hashSecret(text, pepper),
    created_at: instant(runtime.now()),
    ...(valid_until !== undefined && { valid_until }),
  };
  return { key: formatApiKey(text), record };
}

/** Makes a key that works at once, and returns it. */
export async function issueApiKey(wish: KeyWish, ports: KeyPorts): Promise<IssuedKey> {
  const issued = draftApiKey(wish, ports);
  await putKey(issued.record, ports);
  return issued;
}
