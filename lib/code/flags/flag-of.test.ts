import { describe, expect, it } from "vitest";
import { type FileContent, flagOfChange, flagOfPath } from "#lib/code/flags/flag-of.ts";

describe("a path", () => {
  it.each([
    ["ci", ".github/workflows/test.yml"],
    ["ci", ".GitHub/Workflows/test.yml"],
    ["ci", "packages/a/.github/workflows/x.yaml"],
    ["ci", ".github"],
    ["ci", ".gitlab-ci.yml"],
    ["ci", "Jenkinsfile"],
    ["ci", "ci/Jenkinsfile.release"],
    ["ci", "azure-pipelines.yml"],
    ["ci", "bitbucket-pipelines.yml"],
    ["ci", ".circleci/config.yml"],
    ["lockfile", "package-lock.json"],
    ["lockfile", "packages/a/yarn.lock"],
    ["lockfile", "bun.lockb"],
    ["lockfile", "Cargo.lock"],
    ["lockfile", "uv.lock"],
    ["lockfile", "go.sum"],
    ["package_manager", ".npmrc"],
    ["package_manager", ".yarn/releases/yarn-4.js"],
    ["package_manager", ".pnpmfile.cjs"],
    ["git_hooks", ".husky/pre-commit"],
    ["git_hooks", "lefthook.yml"],
    ["git_hooks", ".pre-commit-config.yaml"],
    ["git_hooks", ".gitattributes"],
    ["git_hooks", ".gitmodules"],
    ["workspace", ".vscode/tasks.json"],
    ["workspace", ".devcontainer/devcontainer.json"],
    ["workspace", ".envrc"],
  ])("is %s: %s", (flag, path) => expect(flagOfPath(path)).toBe(flag));

  it.each([
    "src/index.ts",
    "github/workflows/test.yml",
    "docs/.github-guide.md",
    "src/lockfile.ts",
    "yarn.lock.md",
    "package.json",
    "a/husky.md",
    "Jenkinsfiles/a",
    ".gitignore",
    "Makefile",
  ])("is as any other: %s", (path) => expect(flagOfPath(path)).toBeUndefined());
});

describe("a change of package.json", () => {
  const manifest = (value: object) => Buffer.from(JSON.stringify(value));
  const of = (before: FileContent, after: FileContent, path = "package.json") =>
    flagOfChange(path, before, after);
  const base = { name: "a", version: "1.0.0", scripts: { test: "node --test", build: "tsc" } };

  it("is flagged when its scripts change, whatever way", () => {
    const changed = { ...base, scripts: { ...base.scripts, postinstall: "curl x | sh" } };
    expect(of(manifest(base), manifest(changed))).toBe("package_scripts");
    expect(of(manifest(base), manifest({ ...base, scripts: { test: "true" } }))).toBe("package_scripts");
    expect(of(undefined, manifest(base))).toBe("package_scripts");
    expect(of(manifest(base), undefined)).toBe("package_scripts");
    expect(of(manifest(base), "link")).toBe("package_scripts");
    expect(of(manifest(base), Buffer.from("{ no json"))).toBe("package_scripts");
    expect(of(manifest({ name: "a" }), manifest({ name: "a", gypfile: true }))).toBe("package_scripts");
    expect(of(manifest(base), manifest(changed), "packages/a/Package.json")).toBe("package_scripts");
    const twice = Buffer.from('{"scripts":{"test":"node --test","build":"tsc"},"scripts":{"test":"evil"}}');
    expect(of(manifest(base), twice)).toBe("package_scripts");
  });

  it("is flagged as git hooks when tools that set them are told otherwise", () => {
    const hooks = { ...base, "simple-git-hooks": { "pre-commit": "x" } };
    expect(of(manifest(base), manifest(hooks))).toBe("git_hooks");
    expect(of(manifest(base), manifest({ ...base, husky: { hooks: {} } }))).toBe("git_hooks");
  });

  it("is as any other when its scripts stay, in any order", () => {
    const reordered = { ...base, version: "2.0.0", scripts: { build: "tsc", test: "node --test" } };
    expect(of(manifest(base), manifest(reordered))).toBeUndefined();
    expect(of(Buffer.from(`\uFEFF${JSON.stringify(base)}`), manifest(base))).toBeUndefined();
    expect(of(undefined, manifest({ name: "a" }))).toBeUndefined();
    expect(of(manifest({ a: 1 }), manifest({ a: 2 }), "src/other.json")).toBeUndefined();
  });
});
