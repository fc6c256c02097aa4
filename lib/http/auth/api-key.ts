import { createHmac, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import { type KeyPorts, putKey } from "#lib/http/auth/key-store.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { ApiKeyRecord } from "#schemas/records/api-key.ts";

/** An API key in its parts. The key id is public, the secret has 192 random bits. */
export interface ApiKeyText {
  key_id: string;
  secret: string;
}

const KEY_ID_BYTES = 8;
const SECRET_BYTES = 24;
const API_KEY = /^dak_([0-9a-f]{16})_([0-9a-f]{48})([0-9a-f]{8})$/;

/** A new key: `hex` gives lower-case hex of so many random bytes. */
function newApiKey(hex: (bytes: number) => string): ApiKeyText {
  return { key_id: hex(KEY_ID_BYTES), secret: hex(SECRET_BYTES) };
}

/**
 * `dak_<key id>_<secret><checksum>`. The checksum (CRC-32 of all before it) lets a mistyped or cut
 * key be refused without asking the table, and a secret scanner be sure of what it found.
 */
export function formatApiKey({ key_id, secret }: ApiKeyText): string {
  const text = `dak_${key_id}_${secret}`;
  return text + checksum(text);
}

/** The parts of a key; undefined for anything that was never one of ours. */
export function parseApiKey(text: string): ApiKeyText | undefined {
  const [, key_id, secret, sum] = API_KEY.exec(text) ?? [];
  if (!key_id || !secret || checksum(`dak_${key_id}_${secret}`) !== sum) return undefined;
  return { key_id, secret };
}

/** What is kept of a key. Bound to its id, so that no record can stand for another key. */
function hashSecret({ key_id, secret }: ApiKeyText, pepper: string): string {
  return createHmac("sha256", pepper).update(`${key_id}.${secret}`).digest("hex");
}

/** In constant time; the same work where nothing is kept (undefined), which never matches. */
export function matchesSecret(presented: ApiKeyText, kept: string | undefined, pepper: string): boolean {
  const given = Buffer.from(hashSecret(presented, pepper), "hex");
  const wanted = Buffer.from(kept ?? "0".repeat(64), "hex");
  return timingSafeEqual(given, wanted) && kept !== undefined;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

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
