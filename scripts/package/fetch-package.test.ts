import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "tar";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { fetchPackage } from "./fetch-package.ts";

const root = temporaryDirectory("fetch");
const archive = join(root, "native.tgz");
/** In npm's place: gives that archive, whatever it is asked for. */
const NPM = `#!/bin/sh
while [ $# -gt 1 ]; do shift; done
cp ${archive} "$1/native.tgz"
echo '[{ "filename": "native.tgz" }]'
`;

beforeAll(async () => {
  mkdirSync(join(root, "content/package"), { recursive: true });
  writeFileSync(join(root, "content/package/native.node"), "native code");
  await create({ gzip: true, file: archive, cwd: join(root, "content") }, ["package"]);
  mkdirSync(join(root, "bin"));
  writeFileSync(join(root, "bin/npm"), NPM, { mode: 0o755 });
  vi.stubEnv("PATH", `${join(root, "bin")}:${process.env.PATH}`);
  vi.stubEnv("XDG_CACHE_HOME", join(root, "cache"));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const integrity = () => `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
const kept = () => readdirSync(join(root, "cache/distributed-agents/packages"));

describe("a package for another machine", () => {
  it("is refused when it is not what is locked, and leaves nothing", async () => {
    const other = `sha512-${createHash("sha512").update("other").digest("base64")}`;
    await expect(fetchPackage("@x/native", { version: "1.0.0", integrity: other })).rejects.toThrow(
      "@x/native@1.0.0 is not what package-lock.json says",
    );
    await expect(fetchPackage("@x/native", { version: "1.0.0" })).rejects.toThrow("no checksum of @x/native");
    expect(kept()).toEqual([]);
  });

  it("is fetched once, and kept", async () => {
    const directory = await fetchPackage("@x/native", { version: "1.0.0", integrity: integrity() });
    expect(readFileSync(join(directory, "native.node"), "utf8")).toBe("native code");
    rmSync(join(root, "bin/npm"));
    vi.stubEnv("PATH", "/nowhere");
    expect(await fetchPackage("@x/native", { version: "1.0.0", integrity: integrity() })).toBe(directory);
    expect(kept()).toEqual(["@x+native@1.0.0"]);
  });
});
