import { describe, expect, it } from "vitest";
import { EDIT_LIMITS } from "#lib/code/edits/edit-limits.ts";
import { edited, replacing } from "#test/fakes/edited-tree.ts";

const limits = { ...EDIT_LIMITS, refused_flags: ["ci", "package_scripts"] as const };
const FILES = {
  ".github/workflows/a.yml": "on: push\n",
  "package.json": '{"name":"a","version":"1","scripts":{"test":"node --test"}}',
  "yarn.lock": "one\n",
  f: "one\n",
};

describe("an edit of a flagged file", () => {
  it("is refused with the reason, and leaves the file, while others are applied", async () => {
    const { tree, codes, outcome } = await edited(
      FILES,
      [
        replacing("push", "pull_request", { path: "./.github/workflows/a.yml" }),
        { kind: "write", path: ".gitlab-ci.yml", content: "x\n" },
        { kind: "delete", path: ".github/workflows/a.yml" },
        { kind: "rename", path: ".github/workflows/a.yml", new_path: "a.yml" },
        { kind: "rename", path: "f", new_path: ".circleci/config.yml" },
        replacing("node --test", "true", { path: "package.json" }),
        replacing("one", "two"),
        replacing("one", "two", { path: "yarn.lock" }),
      ],
      { limits },
    );
    expect(codes).toEqual(Array.from({ length: 6 }, () => "EDIT_FILE_FLAGGED"));
    expect(outcome.refused[5]?.message).toContain("scripts that package managers run");
    expect(tree).toEqual({ ...FILES, f: "two\n", "yarn.lock": "two\n" });
  });

  it("is no edit of package.json that leaves its scripts alone, and none that undoes its own change", async () => {
    const version = replacing('"version":"1"', '"version":"2"', { path: "package.json" });
    const script = replacing("node --test", "true", { path: "package.json" });
    const again = replacing('"version":"2"', '"version":"3"', { path: "package.json" });
    const { tree, codes } = await edited(FILES, [version, script, again], { limits });
    expect(codes).toEqual(["EDIT_FILE_FLAGGED"]);
    expect(tree["package.json"]).toBe('{"name":"a","version":"3","scripts":{"test":"node --test"}}');
  });

  it("is applied where it is allowed", async () => {
    const edits = [replacing("push", "pull_request", { path: ".github/workflows/a.yml" })];
    const allowed = { ...EDIT_LIMITS, refused_flags: ["lockfile"] as const };
    expect((await edited(FILES, edits, { limits: allowed })).codes).toEqual([]);
  });
});
