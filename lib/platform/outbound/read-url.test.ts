import { describe, expect, it } from "vitest";
import { readUrl } from "#lib/platform/outbound/read-url.ts";

const both = { schemes: ["https" as const, "http" as const] };
const hrefOf = (text: string) => {
  const read = readUrl(text, both);
  return "url" in read ? read.url.href : read.problem;
};

describe("a URL that a submitter gave", () => {
  it.each([
    ["https://Example.ORG./hook#part", "https://example.org/hook"],
    ["https://EXAMPLE.org:443/", "https://example.org/"],
    ["https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["https://ｅｘａｍｐｌｅ.org/", "https://example.org/"],
    ["https://①②⑦.0.0.1/", "https://127.0.0.1/"],
    ["https://127。0。0。1/", "https://127.0.0.1/"],
    ["http://2130706433/", "http://127.0.0.1/"],
    ["http://0177.0.0.1/", "http://127.0.0.1/"],
    ["http://0x7f.0x1/", "http://127.0.0.1/"],
    ["http://127.1/", "http://127.0.0.1/"],
    ["http://127.0.0.1./", "http://127.0.0.1/"],
    ["http://0/", "http://0.0.0.0/"],
    ["http://[0:0:0:0:0:ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"],
    ["https://%31%32%37.0.0.1/", "https://127.0.0.1/"],
  ])("%s is read as %s", (text, href) => expect(hrefOf(text)).toBe(href));

  it.each([
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "javascript:alert(1)",
    "ssh://example.org/",
    "//example.org/",
    "example.org",
    "https://",
    "https://exa mple.org/",
    "https://[fe80::1%25eth0]/",
    "https://256.256.256.256/",
    "https://a..b:99999/",
    "",
  ])("%j is no URL to connect to", (text) => expect(hrefOf(text)).toMatch(/^it /));

  it.each([
    ["https://user:secret@example.org/", /credentials/],
    ["https://example.org@127.0.0.1/", /credentials/],
    ["https://example.org\\@127.0.0.1/", /backslashes/],
    ["https://example.org/\r\nhost: internal", /control characters/],
    [" https://example.org/", /blanks/],
    ["https://exam\tple.org/", /control characters/],
    [`https://example.org/${"a".repeat(2048)}`, /characters/],
  ])("%j is refused, and says why without its secrets", (text, why) => {
    expect(hrefOf(text)).toMatch(why);
    expect(hrefOf(text)).not.toContain("secret");
  });

  it("is of an allowed scheme", () => {
    expect(readUrl("http://example.org/", { schemes: ["https"] })).toEqual({
      problem: "it is not an https URL",
    });
  });
});
