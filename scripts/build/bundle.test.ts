import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { bundle } from "./bundle.ts";
import { loadBundle } from "./load-bundle.ts";

const root = temporaryDirectory("bundle");
beforeAll(() => mkdirSync(join(root, "source")));

describe("bundle", () => {
  it("makes one module that Node loads, with CommonJS inside and a source map beside it", async () => {
    writeFileSync(join(root, "source/old.cjs"), 'module.exports = require("node:path").sep;');
    writeFileSync(
      join(root, "source/handler.ts"),
      'import sep from "./old.cjs"; export const handle = (): string => sep;',
    );
    const { file, bytes } = await bundle("example", join(root, "source/handler.ts"), join(root, "out"));
    await expect(loadBundle(file, "handle")).resolves.toBeUndefined();
    await expect(loadBundle(file, "handler")).rejects.toThrow("exports no function handler");
    expect(bytes).toBeGreaterThan(100);
    expect(existsSync(`${file}.map`)).toBe(true);
  });

  it("does not load when its first lines throw, and says why", async () => {
    writeFileSync(join(root, "source/throws.ts"), 'throw new Error("no table"); export const handle = 1;');
    const { file } = await bundle("throws", join(root, "source/throws.ts"), join(root, "out"));
    await expect(loadBundle(file, "handle")).rejects.toThrow(/does not load:[\s\S]*no table/);
  });

  it("says which import of which file does not resolve", async () => {
    writeFileSync(join(root, "source/broken.ts"), 'import "./missing.ts";');
    await expect(bundle("broken", join(root, "source/broken.ts"), join(root, "out"))).rejects.toThrow(
      /broken\.ts cannot be bundled:\n.*broken\.ts:1: Could not resolve "\.\/missing\.ts"/,
    );
  });
});
