import { createHmac, hkdfSync } from "node:crypto";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import type { WebhookRecord, WebhookSecret } from "#schemas/records/webhook.ts";

/** 24 to 64 bytes: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const SECRET_BYTES = 32;

/**
 * The bytes of a webhook's secret. They follow from the stage's root secret, so the table holds none, and
 * whoever reads it can sign nothing.
 */
export function secretBytes(
  root: string,
  { tenant, webhook_id }: Pick<WebhookRecord, "tenant" | "webhook_id">,
  number: number,
): Buffer {
  const info = `webhook secret\n${tenant}\n${webhook_id}\n${number}`;
  return Buffer.from(hkdfSync("sha256", root, "", info, SECRET_BYTES));
}

/** As a receiver is given it. */
export function formatSecret(bytes: Buffer): string {
  return `whsec_${bytes.toString("base64")}`;
}

/** The secrets that sign at a moment (Unix ms), newest first: two or more while a rotation overlaps. */
export function secretsInForce({ secrets }: Pick<WebhookRecord, "secrets">, now_ms: number): WebhookSecret[] {
  return secrets.filter(({ valid_until }) => valid_until === undefined || Date.parse(valid_until) > now_ms);
}

/** @throws TerminalFault `WEBHOOK_ROOT_MISSING` where the stage has none */
export function rootSecret({ webhook_secret_root }: { webhook_secret_root?: string | undefined }): string {
  if (webhook_secret_root !== undefined) return webhook_secret_root;
  throw new TerminalFault(
    "WEBHOOK_ROOT_MISSING",
    "WEBHOOK_SECRET_ROOT is not set where this function runs, so nothing can be signed; serverless.yml declares it",
  );
}

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
