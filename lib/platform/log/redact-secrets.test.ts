import { describe, expect, it } from "vitest";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";

describe("redactSecrets", () => {
  it.each([
    ["AKIA" + "IOSFODNN7EXAMPLE", "an AWS key"],
    [`ghp_${"a1B2".repeat(9)}`, "a GitHub token"],
    [`npm_${"a1B2".repeat(9)}`, "an npm token"],
    [`sk-ant-${"a1B2".repeat(9)}`, "an Anthropic key"],
    [`xoxb-${"1234567890"}`, "a Slack token"],
    [`eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`, "a JSON web token"],
    [
      ["-----BEGIN RSA PRIVATE", " KEY-----\nMIIE\n-----END RSA PRIVATE", " KEY-----"].join(""),
      "a private key",
    ],
  ])("takes out %s", (secret) => {
    expect(redactSecrets(`before ${secret} after`)).toBe("before [redacted] after");
  });

  it("takes out known secrets, wherever they stand, and values whose names say it", () => {
    expect(redactSecrets("https://x/?k=hunter2hunter2&b", ["hunter2hunter2"])).toBe(
      "https://x/?k=[redacted]&b",
    );
    expect(redactSecrets(`"api_key": "abcd1234abcd1234abcd"`)).toBe(`"api_key": "[redacted]"`);
    expect(redactSecrets("postgres://me:s3cretpass@db/x")).toBe("postgres://me:[redacted]@db/x");
  });

  it("leaves code alone", () => {
    const code = `const password = readPassword(options.passwordFile);\nconst apiKey = settings.api_key;\nskip("sk-1");\ncall(access_token = undefined);\n`;
    expect(redactSecrets(code, [""])).toBe(code);
  });

  it("ends quickly on long input made to be slow", () => {
    const text = `${"a".repeat(50_000)}://${"b:".repeat(50_000)} -----BEGIN PRIVATE KEY-----${"eyJa.".repeat(20_000)}`;
    const began = Date.now();
    redactSecrets(text);
    expect(Date.now() - began).toBeLessThan(20_000);
  });
});
