import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { listProcesses, readProcess } from "#lib/sandbox/process/process-table.ts";
import { needing } from "#test/needing.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const with_bubblewrap = await needing("bubblewrap");

const { api, stack } = testStack();

/** Lists the command's own descriptors, and those of its parent and the parent's parents where it may look. */
const LOOK = `ls -l /proc/self/fd; pid=$$
while [ "$pid" -gt 1 ]; do ls -l /proc/$pid/fd; pid=$(cut -d' ' -f4 /proc/$pid/stat); [ -n "$pid" ] || break; done; true`;

async function printed(profile: string): Promise<string> {
  const run = { workflow: "run", source: tinySource(true), command: LOOK, profile };
  const { task_id } = await api.submit(run);
  expect(await api.ended(task_id)).toMatchObject({ verdict: "passed" });
  return (await api.artifact(task_id, "run/output.log")).toString();
}

function targets(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      return "";
    }
  });
}

/** The stack's own processes. */
function processes(): { pid: number; line: string }[] {
  const all = (listProcesses() ?? []).flatMap((pid) => readProcess(pid) ?? []);
  return all
    .filter(({ group }) => group === stack.pid)
    .map(({ pid }) => ({ pid, line: readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ") }));
}

it("a submitted command has no file of the database open, nor has the process that started it", async () => {
  const seen = await printed("trusted");
  expect(seen).toMatch(/ 0 -> \/dev\/null/);
  expect(seen).not.toContain(join(stack.data_dir, "dynamodb"));
  expect(seen).not.toContain(join(stack.data_dir, "sqs-and-s3"));
});

with_bubblewrap.it("a submitted command with full isolation has nothing of the stack's open", async () => {
  expect(await printed("small")).not.toContain(stack.data_dir);
});

it("the database is open in the process of the emulators only, which runs nothing of anybody's", () => {
  const holders = processes().filter(({ pid }) =>
    targets(pid).some((target) => target.startsWith(join(stack.data_dir, "dynamodb"))),
  );
  expect(holders.map(({ line }) => /local\/emulators\/main\.ts/.test(line))).toEqual([true]);
});
