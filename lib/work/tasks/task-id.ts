import { createHash } from "node:crypto";

const BASE32 = "0123456789abcdefghjkmnpqrstvwxyz";

/** A task id that follows from a key of a tenant: the same for the same ones. */
export function taskIdFrom(tenant: string, key: string): string {
  const digest = createHash("sha256").update(`${tenant}\n${key}`).digest();
  const characters = Array.from(digest.subarray(0, 26), (byte) => BASE32[byte % 32]);
  return `task_${characters.join("")}`;
}
