import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { memoryTree } from "../tree/memory-tree.ts";
import { diskTree } from "../tree/tree.ts";
import { outdated, writeGenerated } from "./generated-file.ts";
import { generatedFiles } from "./generated-files.ts";

const root = temporaryDirectory("generated");

describe("outdated", () => {
  const tree = memoryTree({ same: "1", other: "1", gone: "1" });

  it("lists what differs, is missing or is left over", () => {
    const wanted = [{ path: "other", text: "2" }, { path: "new", text: "1" }, { path: "gone" }];
    expect(outdated(tree, wanted)).toEqual(wanted);
  });

  it("lists nothing when all stands as it should", () => {
    expect(outdated(tree, [{ path: "same", text: "1" }, { path: "never" }])).toEqual([]);
  });
});

describe("writeGenerated", () => {
  it("writes new files with their folders and removes those left over", () => {
    writeGenerated(root, [
      { path: "a/b.json", text: "{}" },
      { path: "c.md", text: "c" },
    ]);
    writeGenerated(root, [{ path: "c.md" }]);
    expect(diskTree(root).files).toEqual(["a/b.json"]);
  });
});

describe("generatedFiles", () => {
  it("marks a schema file nobody exports any more as left over", async () => {
    const files = await generatedFiles(memoryTree({ "schemas/json/message.gone.schema.json": "{}" }));
    expect(files).toContainEqual({ path: "schemas/json/message.gone.schema.json" });
  });
});
