import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { sweepAbandonedDirectories } from "#lib/platform/processes/abandoned-directories.ts";

const WORKER = `
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
await withTemporaryDirectory("sweep-test", async (directory) => {
  console.log(directory);
  await new Promise(() => setInterval(() => {}, 1000));
});
`;

/** A worker in the middle of its work, and the directory it works in. */
async function worker() {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", WORKER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, directory: said.toString().trim() };
}

async function untilSwept(directory: string): Promise<void> {
  while (existsSync(directory)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sweepAbandonedDirectories();
  }
}

it("removes the directory however the work ends", async () => {
  let lent = "";
  const failing = withTemporaryDirectory("test", async (directory) => {
    lent = directory;
    throw new Error("failed");
  });
  await expect(failing).rejects.toThrow("failed");
  expect(existsSync(lent)).toBe(false);
});

it("removes what a killed worker left, and nothing of a living one", async () => {
  const [killed, living] = await Promise.all([worker(), worker()]);
  try {
    expect(existsSync(killed.directory)).toBe(true);
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    await untilSwept(killed.directory);
    expect(existsSync(living.directory)).toBe(true);
  } finally {
    living.child.kill("SIGKILL");
  }
  await untilSwept(living.directory);
});
