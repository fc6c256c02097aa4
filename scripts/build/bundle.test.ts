import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "./bundle.ts";

const root = mkdtempSync(join(tmpdir(), "bundle-"));
beforeAll(() => mkdirSync(join(root, "source")));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("bundle", () => {
  it("makes one module that Node loads, with CommonJS inside and a source map beside it", async () => {
    writeFileSync(join(root, "source/old.cjs"), 'module.exports = require("node:path").sep;');
    writeFileSync(
      join(root, "source/handler.ts"),
      'import sep from "./old.cjs"; export const handle = (): string => sep;',
    );
    const { bytes } = await bundle("example", join(root, "source/handler.ts"), join(root, "out"));
    const file = join(root, "out/example/handler.mjs");
    const program = `import { handle } from ${JSON.stringify(file)}; process.stdout.write(handle());`;
    expect(execFileSync(process.execPath, ["--input-type=module", "-e", program]).toString()).toBe("/");
    expect(bytes).toBeGreaterThan(100);
    expect(existsSync(`${file}.map`)).toBe(true);
  });

  it("says which import of which file does not resolve", async () => {
    writeFileSync(join(root, "source/broken.ts"), 'import "./missing.ts";');
    await expect(bundle("broken", join(root, "source/broken.ts"), join(root, "out"))).rejects.toThrow(
      /broken\.ts cannot be bundled:\n.*broken\.ts:1: Could not resolve "\.\/missing\.ts"/,
    );
  });
});
