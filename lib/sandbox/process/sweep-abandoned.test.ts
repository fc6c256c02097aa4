import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import {
  DIRECTORY_PREFIX,
  isAbandoned,
  MARKER_NAME,
  workerMark,
} from "#lib/platform/processes/worker-mark.ts";
import { sweepAbandoned } from "#lib/sandbox/process/sweep-abandoned.ts";

const DEAD_PID = spawnSync("true").pid;
const dead_mark = workerMark().replace(/\.\d+\.\d+$/, `.${DEAD_PID}.1`);

function sleeper(mark: string): ChildProcess {
  const env = { PATH: "/usr/bin:/bin", [MARKER_NAME]: `${mark}-test` };
  return spawn("sleep", ["600"], { detached: true, stdio: "ignore", env });
}

it("ends and removes what a dead worker left, and nothing of a living one", async () => {
  const [abandoned, current] = [sleeper(dead_mark), sleeper(workerMark())];
  const ended = once(abandoned, "exit");
  const left = join(tmpdir(), `${DIRECTORY_PREFIX}${dead_mark}-left`);
  const lent = join(tmpdir(), `${DIRECTORY_PREFIX}${workerMark()}-lent`);
  for (const directory of [left, lent]) mkdirSync(directory);
  try {
    await once(current, "spawn");
    // This process may have swept just before: then it does nothing for two seconds.
    for (let round = 0; round < 1000 && existsSync(left); round++) {
      sweepAbandoned();
      await delay(20);
    }
    expect((await ended)[1]).toBe("SIGKILL");
    expect(existsSync(left)).toBe(false);
    expect(existsSync(lent)).toBe(true);
    expect(current.exitCode ?? current.signalCode).toBeNull();
  } finally {
    current.kill("SIGKILL");
    rmSync(lent, { recursive: true, force: true });
  }
});

it("judges no worker of another container, and no other name", () => {
  expect(isAbandoned(`${dead_mark}-x`)).toBe(true);
  expect(isAbandoned(`${workerMark()}-x`)).toBe(false);
  expect(isAbandoned(`1.${DEAD_PID}.1-x`)).toBe(false);
  expect(isAbandoned("O4kx2f")).toBe(false);
});
