import { createHmac, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/** An API key in its parts. The key id is public, the secret has 192 random bits. */
export interface ApiKeyText {
  key_id: string;
  secret: string;
}

const KEY_ID_BYTES = 8;
const SECRET_BYTES = 24;
const API_KEY = /^dak_([0-9a-f]{16})_([0-9a-f]{48})([0-9a-f]{8})$/;

/** A new key: `hex` gives lower-case hex of so many random bytes. */
export function newApiKey(hex: (bytes: number) => string): ApiKeyText {
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
export function hashSecret({ key_id, secret }: ApiKeyText, pepper: string): string {
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
