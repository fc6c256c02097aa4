import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { cacheDirectory } from "./cache-directory.ts";

it("keeps downloads in the user's cache, outside the tree, and makes the folder", () => {
  const base = temporaryDirectory("cache");
  const directory = cacheDirectory("localstack", { XDG_CACHE_HOME: base });
  expect(directory).toBe(join(base, "distributed-agents", "localstack"));
  expect(statSync(directory).isDirectory()).toBe(true);
});

it("falls back to ~/.cache where XDG_CACHE_HOME is not set, or empty", () => {
  const home = temporaryDirectory("home");
  const expected = join(home, ".cache", "distributed-agents", "localstack");
  expect(cacheDirectory("localstack", { HOME: home })).toBe(expected);
  expect(cacheDirectory("localstack", { HOME: home, XDG_CACHE_HOME: "" })).toBe(expected);
});
