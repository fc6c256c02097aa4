import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { directoryInside } from "./submit-tool.ts";

const base = () => realpathSync(temporaryDirectory("mcp-root"));

describe("the directory that an assistant may submit", () => {
  it("is the root or below it", () => {
    const root = base();
    mkdirSync(join(root, "..name", "app"), { recursive: true });
    expect(directoryInside(root, ".")).toBe(root);
    expect(directoryInside(root, root)).toBe(root);
    expect(directoryInside(root, "..name/app")).toBe(join(root, "..name", "app"));
    expect(directoryInside(root, join(root, "..name", "..", "..name"))).toBe(join(root, "..name"));
  });

  it("is nothing outside, by path or by link, and nothing that is not there", () => {
    const root = base();
    const outside = base();
    writeFileSync(join(outside, "secret"), "s");
    symlinkSync(outside, join(root, "link"));
    const paths = ["..", "/", outside, `${root}-more`, "link", "../nothing-there", `${root}/..`];
    for (const path of paths) {
      expect(() => directoryInside(root, path)).toThrow(
        expect.objectContaining({ code: "DIRECTORY_OUTSIDE" }),
      );
    }
    expect(() => directoryInside(root, "absent")).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
