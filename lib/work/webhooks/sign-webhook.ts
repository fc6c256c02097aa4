import { createHmac } from "node:crypto";

interface Signed {
  id: string;
  /** Of this attempt, not of the event: receivers refuse what is too old. */
  now_ms: number;
  body: string;
}

/**
 * Headers of Standard Webhooks: `v1` is HMAC-SHA-256 over id, timestamp and body, once for each secret.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureHeaders(
  { id, now_ms, body }: Signed,
  secrets: readonly Buffer[],
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(now_ms / 1000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`);
    return `v1,${hmac.digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
