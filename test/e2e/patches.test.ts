import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { Submission, SubmittedDiff } from "#schemas/messages/submission.ts";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { testStack } from "./test-stack.ts";

const with_git = await needing("git");
const { api } = testStack();

const bytes = (text: string): SubmittedDiff => ({ base64: Buffer.from(text, "latin1").toString("base64") });
const FILES = { "src/a.txt": "one\ntwo\nthree\n", "src/gone.txt": "bye\n", "copied.txt": "1\n2\n3\n" };
const EDIT = "--- a/src/a.txt\n+++ b/src/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n";

type Patch = Omit<Extract<NonNullable<Submission["change"]>, { kind: "patch" }>, "kind">;

async function change(patch: Patch, test: string): Promise<TaskView> {
  const source = { kind: "inline", files: FILES };
  const submission = {
    workflow: "change",
    source,
    change: { kind: "patch", ...patch },
    test,
    profile: "trusted",
  };
  const { task_id } = await api.submit(submission);
  return api.ended(task_id);
}

describe("a submitted patch", () => {
  it("keeps its bytes from the request to the tree and to the artifact, where nothing of it is UTF-8", async () => {
    const diff = bytes(EDIT.replace("+TWO", "+F\xfcnf\0"));
    const view = await change(
      { diff },
      `test "$(od -An -c src/a.txt | tr -d ' \\n')" = 'one\\nF374nf\\0\\nthree\\n'`,
    );
    expect(view.verdict, JSON.stringify(view.error)).toBe("passed");
    const made = await api.artifact(view.task_id, "codegen/diff.patch");
    expect(made.toString("latin1")).toContain("GIT binary patch");
    const latin1 = await change({ diff: bytes(EDIT.replace("+TWO", "+F\xfcnf")) }, "true");
    const lines = await api.artifact(latin1.task_id, "codegen/diff.patch");
    expect(lines.toString("latin1")).toContain("-two\n+F\xfcnf\n three\n");
    expect(
      CodegenMetrics.parse(JSON.parse(String(await api.artifact(latin1.task_id, "codegen/metrics.json")))),
    ).toMatchObject({
      files: [{ path: "src/a.txt", change: "modified", insertions: 1, deletions: 1 }],
    });
  });

  it("copies the original, and deletes what `diff -ruN` dates to 1970", async () => {
    const diff = [
      "diff --git a/copied.txt b/copied.txt\n--- a/copied.txt\n+++ b/copied.txt\n@@ -1,3 +1,3 @@\n 1\n-2\n+II\n 3\n",
      "diff --git a/copied.txt b/zcopy.txt\nsimilarity index 100%\ncopy from copied.txt\ncopy to zcopy.txt\n",
      "diff -ruN base/src/gone.txt new/src/gone.txt\n",
      "--- base/src/gone.txt\t2026-11-30 15:12:59.780949927 +0100\n+++ new/src/gone.txt\t1970-01-01 01:00:00.000000000 +0100\n@@ -1 +0,0 @@\n-bye\n",
    ].join("");
    const view = await change(
      { diff },
      "grep -q II copied.txt && ! grep -q II zcopy.txt && test ! -e src/gone.txt",
    );
    expect(view.verdict, JSON.stringify(view.error)).toBe("passed");
  });

  with_git.it("is applied when git wrote it with --binary", async () => {
    const directory = temporaryDirectory("binary-patch");
    const git = (...args: string[]) =>
      execFileSync("git", args, {
        cwd: directory,
        env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: "/dev/null" },
      });
    git("init", "-q");
    const png = Buffer.from("\x89PNG\r\n\x1a\n\0\0\xff", "latin1");
    execFileSync("tee", ["logo.png"], { cwd: directory, input: png });
    git("add", "-A");
    const diff = git("diff", "--cached", "--binary").toString();
    const sha256 = createHash("sha256").update(png).digest("hex");
    const view = await change({ diff }, `echo "${sha256}  logo.png" | sha256sum -c`);
    expect(view.verdict, JSON.stringify(view.error)).toBe("passed");
  });

  it("is read from a directory of the source, and with parts of its names taken off", async () => {
    const inside = EDIT.replaceAll("/src/", "/");
    expect((await change({ diff: inside, directory: "src" }, "grep -q TWO src/a.txt")).verdict).toBe(
      "passed",
    );
    const deep = EDIT.replaceAll(/(a|b)\/src/g, "$1/x/src");
    expect((await change({ diff: deep, strip: 2 }, "grep -q TWO src/a.txt")).verdict).toBe("passed");
    const without = await change({ diff: deep }, "true");
    expect(without.error?.message).toContain(
      "With --strip 2 (`strip` in the API) all files that it changes are there.",
    );
  });

  it("that fails its tests says what failed, and nothing of a repair that was never asked for", async () => {
    const view = await change({ diff: EDIT }, "false");
    expect(view).toMatchObject({ verdict: "failed", error: { code: "TESTS_FAILED", step: "buildtest" } });
    expect(view.error?.message).not.toMatch(/repair|NO_REPAIR_LEFT|All 1/);
    expect(view.steps.map(({ step, round }) => `${step}#${round}`)).not.toContain("codegen#1");
  });

  it.each<[string, unknown, number, string]>([
    ["base 64 that is none", { diff: { base64: "%%%%" } }, 422, "BODY_INVALID"],
    ["a diff that is a number", { diff: 7 }, 422, "BODY_INVALID"],
    ["text and bytes at once", { diff: { text: EDIT, base64: "YQ==" } }, 422, "BODY_INVALID"],
    ["bytes of nothing but blanks", { diff: bytes(" \n ") }, 422, "DIFF_EMPTY"],
    ["a negative strip", { diff: EDIT, strip: -1 }, 422, "BODY_INVALID"],
    ["a directory outside", { diff: EDIT, directory: "../x" }, 422, "DIFF_PATH_UNSAFE"],
    ["too much to strip", { diff: EDIT, strip: 5 }, 422, "DIFF_STRIP_UNCLEAR"],
    ["a wrong count", { diff: EDIT.replace("-1,3", "-1,4") }, 422, "DIFF_MALFORMED"],
    [
      "an encoded mail",
      { diff: `Content-Transfer-Encoding: base64\n\n${EDIT}` },
      422,
      "DIFF_FORMAT_UNSUPPORTED",
    ],
  ])("is refused at submission: %s", async (_, patch, status, code) => {
    const source = { kind: "inline", files: FILES };
    const submitted = { ...(patch as object), kind: "patch" };
    const problem = await api.refused({ workflow: "change", source, change: submitted, test: "true" });
    expect(problem).toMatchObject({ status, code });
  });
});
