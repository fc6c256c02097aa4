import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatSecret, secretBytes, signatureHeaders } from "#lib/work/webhooks/sign-webhook.ts";
import { TaskEnded } from "#schemas/messages/webhooks.ts";
import { guideVerifier } from "#test/fakes/guide-verifier.ts";

const [, example = ""] = /```json\n(.*?)```/s.exec(readFileSync("docs/guides/webhooks.md", "utf8")) ?? [];
const webhook = { tenant: "acme", webhook_id: "0123456789abcdef" };
const secret = (number: number) => secretBytes("r".repeat(32), webhook, number);
const signed = (secrets: Buffer[], now_ms = Date.now()) =>
  signatureHeaders({ id: "task_x_0_y", now_ms, body: example }, secrets);

describe("the guide to webhooks", () => {
  it("shows an event as it is sent", () => {
    expect(TaskEnded.parse(JSON.parse(example)).data.status).toBe("succeeded");
  });

  it("verifies what is signed, also while a rotation overlaps", async () => {
    const verify = await guideVerifier();
    const event = JSON.parse(example);
    expect(verify(formatSecret(secret(1)), signed([secret(1)]), example)).toEqual(event);
    expect(verify(formatSecret(secret(1)), signed([secret(2), secret(1)]), example)).toEqual(event);
  });

  it("refuses another secret, body, id or version, an old one, and none", async () => {
    const verify = await guideVerifier();
    const text = formatSecret(secret(1));
    const headers = signed([secret(1)]);
    expect(() => verify(formatSecret(secret(2)), headers, example)).toThrow("not signed");
    expect(() => verify(text, headers, `${example} `)).toThrow("not signed");
    expect(() => verify(text, { ...headers, "webhook-id": "another" }, example)).toThrow("not signed");
    const other_version = headers["webhook-signature"].replace("v1", "v2");
    expect(() => verify(text, { ...headers, "webhook-signature": other_version }, example)).toThrow(
      "not signed",
    );
    expect(() => verify(text, signed([secret(1)], Date.now() - 301_000), example)).toThrow("too old");
    expect(() => verify(text, {}, example)).toThrow("too old");
    const { "webhook-signature": _, ...unsigned } = headers;
    expect(() => verify(text, unsigned, example)).toThrow("not signed");
  });
});
