import { execFile } from "node:child_process";
import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { leftIn, temporaryDirectory } from "#test/temporary.ts";

/** Runs two test files after each other in one process, as the unit lane does. */
function runTests(
  files: Record<string, string>,
): Promise<{ failed: boolean; output: string; left: string[] }> {
  const root = temporaryDirectory("run");
  const TMPDIR = temporaryDirectory("its");
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  const test = { setupFiles: resolve("test/set-up.ts"), isolate: false, maxWorkers: 1 };
  writeFileSync(join(root, "vitest.config.mjs"), `export default ${JSON.stringify({ test })};`);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const vitest = resolve("node_modules/vitest/vitest.mjs");
  const env = { ...process.env, TMPDIR, NO_COLOR: "1" };
  return new Promise((done) => {
    execFile(process.execPath, [vitest, "run", "--root", root], { env }, (error, stdout, stderr) =>
      done({
        failed: error !== null,
        output: stdout + stderr,
        left: readdirSync(TMPDIR).filter((name) => name.startsWith("t-")),
      }),
    );
  });
}

const making = (call: string) => `
  import { mkdtempSync } from "node:fs";
  import { tmpdir } from "node:os";
  import { test } from "vitest";
  import { temporaryDirectory } from ${JSON.stringify(resolve("test/temporary.ts"))};
  test("makes a directory", () => void ${call});`;

it("fails the test file that leaves something, by its name, and removes it all the same", async () => {
  const { failed, output, left } = await runTests({
    "careless.test.ts": making('mkdtempSync(tmpdir() + "/forgotten-")'),
    "tidy.test.ts": making('temporaryDirectory("tidy")'),
  });
  expect(failed).toBe(true);
  expect(output).toMatch(/left in the temporary directory: forgotten-/);
  expect(output).toMatch(/FAIL +careless\.test\.ts/);
  expect(output).not.toMatch(/FAIL +tidy\.test\.ts/);
  expect(left).toEqual([]);
}, 120_000);

it("puts no file's directory into that of another, whose tests are all skipped", async () => {
  const { failed, output } = await runTests({
    "a.test.ts": 'import { test } from "vitest"; test.skip("never", () => {});',
    "b.test.ts": `
      import { tmpdir } from "node:os";
      import { expect, test } from "vitest";
      test("is not nested", () => expect(tmpdir()).not.toMatch(/t-\\w+\\/t-/));`,
  });
  expect(failed, output).toBe(false);
}, 120_000);

it("waits for what is being removed, and names what stays", async () => {
  const directory = temporaryDirectory();
  expect(await leftIn(directory)).toEqual([]);
  writeFileSync(join(directory, "file"), "");
  expect(await leftIn(directory, ["other"], 0)).toEqual(["file"]);
  expect(await leftIn(directory, ["file"], 0)).toEqual([]);
  expect(await leftIn(join(directory, "never made"))).toEqual([]);
});
