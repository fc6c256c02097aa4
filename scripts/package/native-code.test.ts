import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mustRunOn } from "./native-code.ts";
import { LAMBDA } from "./platform.ts";

/** The first bytes of a native module. */
function elf(machine: number): Uint8Array {
  const head = Buffer.alloc(64);
  head.write("\x7fELF", "latin1");
  head.writeUInt16LE(machine, 18);
  return head;
}
const files = (bytes: Uint8Array) => new Map([["node_modules/x/x.node", bytes]]);

describe("native code in a package", () => {
  it("may be for Lambda's processor, and for no other", () => {
    expect(() => mustRunOn(LAMBDA, files(elf(183)))).not.toThrow();
    expect(() => mustRunOn(LAMBDA, files(elf(62)))).toThrow("x.node is no native code for linux on arm64");
    expect(() => mustRunOn(LAMBDA, files(Buffer.from("MZ")))).toThrow("no native code");
  });

  it.runIf(process.platform === "linux")("is told by what Node itself is made of", () => {
    const head = readFileSync(process.execPath).subarray(0, 64);
    const other = process.arch === "arm64" ? "x64" : "arm64";
    expect(() => mustRunOn({ os: "linux", cpu: process.arch }, files(head))).not.toThrow();
    expect(() => mustRunOn({ os: "linux", cpu: other }, files(head))).toThrow("no native code");
  });
});
