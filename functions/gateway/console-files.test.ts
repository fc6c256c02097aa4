import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { consoleFile } from "./console-files.ts";

const folder = mkdtempSync(join(tmpdir(), "console-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file of the console", () => {
  it("is read with its compressed form and its version, and again when it was built anew", async () => {
    writeFileSync(join(folder, "app.js"), "one");
    const first = await consoleFile("app.js", folder);
    expect([first.bytes.toString(), gunzipSync(first.gzipped).toString()]).toEqual(["one", "one"]);
    expect(first.version).toMatch(/^[0-9a-f]{16}$/);
    expect(await consoleFile("app.js", folder)).toBe(first);
    rmSync(join(folder, "app.js"));
    await new Promise((resolve) => setTimeout(resolve, 20)); // another time of change
    writeFileSync(join(folder, "app.js"), "two");
    const second = await consoleFile("app.js", folder);
    expect(second.bytes.toString()).toBe("two");
    expect(second.version).not.toBe(first.version);
  });

  it("that was not built is told with what to do", async () => {
    const refused = await consoleFile("app.css", folder).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HttpError);
    expect(refused).toMatchObject({ status: 503, code: "CONSOLE_NOT_BUILT" });
    expect((refused as Error).message).toContain("npm run console");
  });
});
