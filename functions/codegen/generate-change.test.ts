import { describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { packFiles } from "#lib/code/source/pack-source.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { type ChangeRef, CodegenInput, CodegenOutput } from "#schemas/messages/codegen.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";
import { generateChange } from "./generate-change.ts";
import type { ModelPorts } from "./ports.ts";

type Wish =
  | { kind: "patch"; diffs: string[] }
  | { kind: "codemod"; rules: string }
  | { kind: "prompt"; text: string };

const FILES = {
  "src/a.js": "const a = 1;\nfoo(a, 2);\n",
  "src/b.ts": "export const b = foo(b);\n",
  "README.md": "# Read\n",
};
const PATCH = "--- a/src/a.js\n+++ b/src/a.js\n@@ -1,2 +1,2 @@\n-const a = 1;\n+const a = 2;\n foo(a, 2);\n";
const RULE = "id: foo-to-bar\nlanguage: js\nrule:\n  pattern: foo($$$ARGS)\nfix: bar($$$ARGS)\n";

const noModel = {
  choose: () => {
    throw new RejectedInput(
      "MODEL_NOT_CONFIGURED",
      "MODEL_URL is not set. Or submit a `patch` or a `codemod`.",
    );
  },
} as unknown as ModelPorts;

async function generate(wish: Wish, round = 0, files: Record<string, string> = FILES) {
  const fake = fakeAgentContext();
  const { blobs, context } = fake;
  const write = (text: string) => blobs.write(text, "text/plain");
  const change: ChangeRef =
    wish.kind === "patch"
      ? { kind: "patch", diffs: await Promise.all(wish.diffs.map(write)) }
      : wish.kind === "codemod"
        ? { kind: "codemod", rules: await write(wish.rules) }
        : { kind: "prompt", text: await write(wish.text) };
  const blob = await blobs.write(await packFiles(files), "application/gzip");
  const input = CodegenInput.parse({ source: { kind: "archive", blob }, change, round });
  const codemod = { rewritten_file_bytes_max: 1_000_000, output_bytes_max: 1_000_000 };
  const ports = {
    source: { ...fakeSourcePorts(), blobs },
    code: codeWork,
    codemod,
    model: noModel,
    flaggedFilesAllowed: () => [],
  };
  const result = await generateChange(input, context, ports);
  expect(result.verdict).toBe("passed");
  const output = CodegenOutput.parse(result.output);
  const diff = await blobs.readText(output.diff);
  const tree = await withTemporaryDirectory("codegen-test", async (directory) => {
    if (output.source.kind !== "archive") throw new Error("the source is resolved");
    await unpackSource(output.source.blob, directory, ports.source);
    await applyDiff(directory, diff);
    const after = await readTree(directory);
    return Object.fromEntries([...after].map(([path, file]) => [path, file.read().toString()]));
  });
  const text = (path: string) => fake.artifacts.get(path)?.bytes.toString() ?? "";
  return { output, diff, tree, text, artifacts: fake.artifacts, lines: fake.lines };
}

async function expectRefused(wish: Wish, code: string, naming = /./, round = 0): Promise<void> {
  const refused = generate(wish, round);
  await expect(refused).rejects.toMatchObject({ code, disposition: "reject" });
  await expect(refused).rejects.toThrow(naming);
}

describe("generateChange", () => {
  it("turns a patch into a canonical diff, a summary and metrics", async () => {
    const { output, diff, tree, text, artifacts, lines } = await generate({ kind: "patch", diffs: [PATCH] });
    expect(tree).toEqual({ ...FILES, "src/a.js": "const a = 2;\nfoo(a, 2);\n" });
    expect(diff).toMatch(
      /^diff --git a\/src\/a\.js b\/src\/a\.js\nindex [0-9a-f]{40}\.\.[0-9a-f]{40} 100644\n--- a/,
    );
    expect(output).toMatchObject({ provider: "patch", files_changed: 1, insertions: 1, deletions: 1 });
    expect([...artifacts.keys()]).toEqual([
      "codegen/diff.patch",
      "codegen/summary.md",
      "codegen/metrics.json",
    ]);
    expect(text("codegen/diff.patch")).toBe(diff);
    expect(text("codegen/summary.md")).toContain("| <code>src/a.js</code> | modified | +1 | −1 |");
    expect(artifacts.get("codegen/metrics.json")?.schema_name).toBe("artifact.codegen_metrics");
    expect(JSON.parse(text("codegen/metrics.json"))).toMatchObject({
      provider: "patch",
      round: 0,
      files: [{ path: "src/a.js", change: "modified", insertions: 1, deletions: 1 }],
    });
    expect(lines.map((line) => line.code)).toEqual(["CHANGE_GENERATED"]);
  });

  it("gives the same diff for patches that say the same in different ways", async () => {
    const noContext =
      "diff --git src/a.js src/a.js\n--- src/a.js\n+++ src/a.js\n@@ -1,1 +1,1 @@ x\n-const a = 1;\n+const a = 2;\n";
    const one = await generate({ kind: "patch", diffs: [PATCH] });
    expect((await generate({ kind: "patch", diffs: [noContext] })).diff).toBe(one.diff);
  });

  it("uses the diff of the round, against the unchanged source, until none is left", async () => {
    const diffs = [PATCH, PATCH.replace("a = 2", "a = 3")];
    expect((await generate({ kind: "patch", diffs }, 1)).tree["src/a.js"]).toBe("const a = 3;\nfoo(a, 2);\n");
    await expectRefused({ kind: "patch", diffs }, "NO_REPAIR_LEFT", /All 2 submitted diffs/, 2);
    await expectRefused({ kind: "patch", diffs: [PATCH] }, "NO_REPAIR_LEFT", /^The submitted diff has/, 1);
    await expectRefused({ kind: "codemod", rules: RULE }, "NO_REPAIR_LEFT", /one try/, 1);
  });

  it("applies a codemod and counts its matches", async () => {
    const { tree, output, text } = await generate({ kind: "codemod", rules: RULE });
    expect(tree).toEqual({ ...FILES, "src/a.js": "const a = 1;\nbar(a, 2);\n" });
    expect(output.provider).toBe("codemod");
    expect(text("codegen/summary.md")).toContain("| foo-to-bar | 1 | 0 |");
    expect(JSON.parse(text("codegen/metrics.json")).rules_matched).toEqual({ "foo-to-bar": 1 });
  });

  it("refuses a change that changes nothing", async () => {
    const idle = RULE.replace("bar(", "foo(");
    await expectRefused({ kind: "codemod", rules: idle }, "CHANGE_EMPTY");
    const back =
      PATCH + PATCH.replace("-const a = 1", "-const a = 2").replace("+const a = 2", "+const a = 1");
    await expectRefused({ kind: "patch", diffs: [back] }, "CHANGE_EMPTY");
  });

  it("refuses words when no model is configured", async () => {
    await expectRefused(
      { kind: "prompt", text: "make it better" },
      "MODEL_NOT_CONFIGURED",
      /`patch`.*`codemod`/,
    );
  });

  it("hands on why a patch cannot be applied", async () => {
    const diffs = [PATCH.replace("const a = 1", "const a = 0")];
    await expectRefused({ kind: "patch", diffs }, "DIFF_DOES_NOT_APPLY", /src\/a\.js: hunk 1 of 1/);
    await expectRefused({ kind: "patch", diffs: ["words"] }, "DIFF_MALFORMED");
  });

  it("leaves no artifact of a change that is refused", async () => {
    const fake = fakeAgentContext();
    const blob = await fake.blobs.write(await packFiles(FILES), "application/gzip");
    const diffs = [await fake.blobs.write("words", "text/x-diff")];
    const input = {
      source: { kind: "archive" as const, blob },
      change: { kind: "patch" as const, diffs },
      round: 0,
    };
    const codemod = { rewritten_file_bytes_max: 1_000_000, output_bytes_max: 1_000_000 };
    const source = { ...fakeSourcePorts(), blobs: fake.blobs };
    const ports = { source, code: codeWork, codemod, model: noModel, flaggedFilesAllowed: () => [] };
    await expect(generateChange(input, fake.context, ports)).rejects.toThrow();
    expect(fake.artifacts.size).toBe(0);
  });

  it("shows a path with markup in it as plain text", async () => {
    const diff = "--- /dev/null\n+++ b/<b>|`x`.md\n@@ -0,0 +1 @@\n+a\n";
    const { text } = await generate({ kind: "patch", diffs: [diff] });
    expect(text("codegen/summary.md")).toContain("<code>&#60;b&#62;&#124;&#96;x&#96;.md</code>");
  });
});
