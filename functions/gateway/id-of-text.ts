import { createHash } from "node:crypto";

/** Crockford's base32 in lower case: https://www.crockford.com/base32.html */
const BASE32 = "0123456789abcdefghjkmnpqrstvwxyz";
const CHARACTERS = 26;

/** The 26 characters of an id that follow from a text: the same text gives the same id. */
export function idOfText(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  return Array.from(digest.subarray(0, CHARACTERS), (byte) => BASE32[byte % BASE32.length]).join("");
}
