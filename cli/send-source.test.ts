import { expect, it } from "vitest";
import { gitUrl } from "./send-source.ts";

it("takes the URLs that the platform clones", () => {
  for (const url of ["https://example.test/a.git", "HTTP://example.test:8080/a"])
    expect(gitUrl(url, "v1")).toBe(url);
  expect(gitUrl("https://example.test/a", undefined)).toBe("https://example.test/a");
});

it.each([
  ["git@example.test:a/b", "Cannot clone git@example.test:a/b."],
  ["ssh://git@example.test/a", "Cannot clone ssh://git@example.test/a."],
  ["file:///srv/a.git", "Cannot clone file:///srv/a.git."],
  ["../a.git", "Cannot clone ../a.git."],
  ["https://", "Cannot clone https://."],
  ["https://me:secret@example.test/a", "The git URL of example.test carries a user name or password"],
])("refuses %s, and repeats no password", (url, sentence) => {
  expect(() => gitUrl(url, undefined)).toThrow(sentence);
  expect(() => gitUrl(url, undefined)).not.toThrow("secret");
});

it("refuses an empty ref", () => {
  expect(() => gitUrl("https://example.test/a", " ")).toThrow("--ref is empty.");
});
