import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";
import { Submission } from "#schemas/messages/submission.ts";
import { checkFields, checkSource } from "./check-submission.ts";

const { workflows } = WorkflowsConfig.parse(JSON.parse(readFileSync("configs/workflows.json", "utf8")));
const source = { kind: "inline", files: { "a.js": "1" } };
const check = (fields: object & { workflow: string }) => {
  const workflow = workflows[fields.workflow];
  if (!workflow) throw new Error(`no workflow ${fields.workflow}`);
  checkFields(Submission.parse({ source, ...fields }), workflow);
};
const diff = "--- a/a.js\n+++ b/a.js\n@@ -1 +1 @@\n-1\n+2\n";
const patch = { kind: "patch", diff };

describe("the fields of a submission", () => {
  it.each([
    { workflow: "run", command: "ls" },
    { workflow: "index" },
    { workflow: "buildtest", test: "true", build: "make", install: "npm ci", require_tests: true },
    { workflow: "change", test: "true", change: patch, reports: ["*.xml"] },
  ])("that the workflow reads are taken: %j", (fields) => {
    expect(() => check(fields)).not.toThrow();
  });

  it.each([
    [{ workflow: "run" }, "FIELD_REQUIRED", "/command"],
    [{ workflow: "change", test: "true" }, "FIELD_REQUIRED", "/change"],
    [{ workflow: "run", command: "ls", require_tests: true }, "FIELD_UNUSED", "/require_tests"],
    [{ workflow: "run", command: "ls", test: "false" }, "FIELD_UNUSED", "/test"],
    [{ workflow: "buildtest", test: "true", change: patch }, "FIELD_UNUSED", "/change"],
    [{ workflow: "buildtest", test: "true", command: "false" }, "FIELD_UNUSED", "/command"],
    [{ workflow: "index", build: "make" }, "FIELD_UNUSED", "/build"],
  ])("%j is refused: %s", (fields, code, path) => {
    expect(() => check(fields)).toThrow(
      expect.objectContaining({ code, errors: [expect.objectContaining({ path })] }),
    );
  });
});

describe("a git source", () => {
  const git = (url: string, ref?: string) => () =>
    checkSource(Submission.parse({ workflow: "run", command: "ls", source: { kind: "git", url, ref } }), {
      schemes: ["https"],
    });

  it("is taken when it can be fetched", () => {
    expect(git("https://example.org/a.git", "v1.0")).not.toThrow();
  });

  it.each([
    ["https://user:secret@example.org/a", undefined, "GIT_URL_INVALID"],
    ["https://token@example.org/a", undefined, "GIT_URL_INVALID"],
    ["http://example.org/a", undefined, "GIT_URL_INVALID"],
    ["https://example.org/a", "-x", "GIT_REF_INVALID"],
    ["https://example.org/a", "a..b", "GIT_REF_INVALID"],
  ])("%s at %s is refused before anything is stored", (url, ref, code) => {
    expect(git(url, ref)).toThrow(expect.objectContaining({ code }));
    expect(git(url, ref)).not.toThrow(/secret/);
  });
});
