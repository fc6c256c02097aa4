import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DIRECTORY_PREFIX, MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { listProcesses, readEnvironmentVariable, readProcess } from "#lib/sandbox/process/process-table.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { type CommandResult, runCommand } from "#lib/sandbox/run-command.ts";
import { withWorkspace } from "#lib/sandbox/with-workspace.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { codeOf, type Outside, type SandboxCase } from "./sandbox-case.ts";

export interface CaseRun {
  result: CommandResult;
  code: string;
  /** What was wrong, beside the code. */
  faults: string[];
}

/** Whether a case says anything of this backend: some hold only where namespaces are. */
export function isFor({ isolation }: SandboxCase, backend: SandboxBackend): boolean {
  return isolation === "any" || isolation === backend.isolation;
}

/** Runs a case and looks for whatever it left or betrayed. */
export async function runCase(
  sandbox_case: SandboxCase,
  backend: SandboxBackend,
  outside: Outside,
): Promise<CaseRun> {
  const { command, limits = {}, files = {}, check, prints } = sandbox_case;
  const token = randomBytes(12).toString("hex");
  const profile = generousProfile(typeof limits === "function" ? limits(outside) : limits);
  const environment = { ...profile.environment, CASE: token };
  const faults: string[] = [];
  const result = await withWorkspace({ profile, backend }, async (workspace) => {
    const written = typeof files === "function" ? files(outside) : files;
    for (const [name, text] of Object.entries(written)) await writeFile(join(workspace.tree, name), text);
    const ran = await runCommand({
      ...workspace,
      command: typeof command === "function" ? command(outside) : command,
      profile: { ...profile, environment },
      signal: new AbortController().signal,
      lookup: outside.lookup,
    });
    if (living("CASE", token).length > 0) faults.push("processes outlived their command");
    await Promise.resolve(check?.(ran, workspace.tree)).catch((error) => faults.push(error.message));
    return ran;
  });
  if (result.log.includes(outside.secret)) faults.push("the secret was printed");
  if (prints !== undefined && result.stdout.toString() !== prints) {
    faults.push(`printed ${JSON.stringify(result.stdout.toString())}`);
  }
  return { result, code: codeOf(result), faults };
}

/** What sandboxes of this process have left on the machine, once none is running. */
export async function leftovers(mounts_before: string): Promise<string[]> {
  for (let round = 0; round < 500 && living(MARKER_NAME, workerMark()).length > 0; round++) await delay(20);
  const mark = `${DIRECTORY_PREFIX}${workerMark()}-`;
  return [
    ...living(MARKER_NAME, workerMark()).map((pid) => `process ${pid}`),
    ...readdirSync(tmpdir()).filter((name) => name.startsWith(mark)),
    ...(mounts() === mounts_before ? [] : ["mounts"]),
  ];
}

export function mounts(): string {
  return readFileSync("/proc/self/mounts", "utf8");
}

function living(name: string, value: string): number[] {
  return (listProcesses() ?? []).filter((pid) => {
    const found = readEnvironmentVariable(pid, name);
    return found?.startsWith(value) && readProcess(pid)?.state !== "Z";
  });
}
