import { describe, expect, it } from "vitest";
import { type LockedPackage, packagesFor, readLock } from "./locked-packages.ts";
import { LAMBDA } from "./platform.ts";

const lock: Record<string, LockedPackage> = {
  native: {
    version: "1.0.0",
    dependencies: { tool: "^2.0.0" },
    optionalDependencies: { "native-arm": "1.0.0", "native-arm-musl": "1.0.0", "native-x64": "1.0.0" },
  },
  tool: { version: "2.1.0", dependencies: { native: "1.0.0" } },
  "native-arm": { version: "1.0.0", os: ["linux"], cpu: ["arm64"], libc: ["glibc"] },
  "native-arm-musl": { version: "1.0.0", os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
  "native-x64": { version: "1.0.0", os: ["linux"], cpu: ["x64"] },
};

describe("the packages beside a bundle", () => {
  it("are those it names and what they need, for that platform only", () => {
    const found = packagesFor(["native"], LAMBDA, (name) => lock[name]);
    expect([...found.keys()].sort()).toEqual(["native", "native-arm", "tool"]);
    expect(
      [...packagesFor(["native"], { os: "darwin", cpu: "arm64" }, (name) => lock[name]).keys()].sort(),
    ).toEqual(["native", "tool"]);
  });

  it("must be locked", () => {
    expect(() => packagesFor(["other"], LAMBDA, (name) => lock[name])).toThrow(
      "package-lock.json has no other",
    );
  });

  it("of this project have native code for Lambda, with a checksum", () => {
    const found = packagesFor(["@ast-grep/napi"], LAMBDA, readLock());
    expect(found.get("@ast-grep/napi-linux-arm64-gnu")?.integrity).toMatch(/^sha512-/);
  });
});
