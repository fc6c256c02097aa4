import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import {
  formatSecret,
  secretBytes,
  secretsInForce,
  signatureHeaders,
} from "#lib/work/webhooks/sign-webhook.ts";

const ROOT = "r".repeat(64);
const webhook = { tenant: "acme", webhook_id: "0123456789abcdef" };
const first = secretBytes(ROOT, webhook, 1);
const second = secretBytes(ROOT, webhook, 2);
const message = { id: "task_x_0_y", now_ms: Date.now(), body: '{"a":"ü"}' };
const read = (secret: Buffer, headers: Record<string, string>, body = message.body) =>
  new Webhook(formatSecret(secret)).verify(body, headers);

describe("a signature", () => {
  it("is what the reference library of Standard Webhooks verifies", () => {
    const headers = signatureHeaders(message, [first]);
    expect(read(first, headers)).toEqual({ a: "ü" });
    const theirs = new Webhook(formatSecret(first)).sign(message.id, new Date(message.now_ms), message.body);
    expect(headers["webhook-signature"]).toBe(theirs);
  });

  it("is given once for each secret, so that either verifies while a rotation overlaps", () => {
    const headers = signatureHeaders(message, [second, first]);
    expect(headers["webhook-signature"].split(" ")).toHaveLength(2);
    expect(read(first, headers)).toEqual(read(second, headers));
    expect(() => read(first, signatureHeaders(message, [second]))).toThrow("No matching signature");
  });

  it("does not verify another body, id or time, nor one that is too old", () => {
    const headers = signatureHeaders(message, [first]);
    expect(() => read(first, headers, '{"a":"u"}')).toThrow("No matching signature");
    expect(() => read(first, { ...headers, "webhook-id": "another" })).toThrow("No matching signature");
    const later = String(Number(headers["webhook-timestamp"]) + 1);
    expect(() => read(first, { ...headers, "webhook-timestamp": later })).toThrow("No matching signature");
    const old = signatureHeaders({ ...message, now_ms: message.now_ms - 3_600_000 }, [first]);
    expect(() => read(first, old)).toThrow("too old");
  });
});

describe("a secret", () => {
  it("is the same whenever it is asked for, and another for each tenant, webhook, number and root", () => {
    expect(secretBytes(ROOT, webhook, 1)).toEqual(first);
    const others = [
      second,
      secretBytes(ROOT, { ...webhook, tenant: "acm" }, 1),
      secretBytes(ROOT, { ...webhook, webhook_id: "f".repeat(16) }, 1),
      secretBytes(`${ROOT}r`, webhook, 1),
    ].map(formatSecret);
    expect(new Set([...others, formatSecret(first)]).size).toBe(5);
    expect(formatSecret(first)).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });

  it("signs until its time is over", () => {
    const created_at = "2026-01-01T00:00:00.000Z";
    const secrets = [
      { number: 2, created_at },
      { number: 1, created_at, valid_until: "2026-01-02T00:00:00.000Z" },
    ];
    const numbers = (at: string) => secretsInForce({ secrets }, Date.parse(at)).map(({ number }) => number);
    expect(numbers("2026-01-01T23:59:59.999Z")).toEqual([2, 1]);
    expect(numbers("2026-01-02T00:00:00.000Z")).toEqual([2]);
  });
});
