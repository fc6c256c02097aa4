import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { makeGroup, release } from "#lib/sandbox/process/process-ceiling.ts";

/** What some tests need and a fresh machine may lack. */
export type Tool =
  | "bubblewrap"
  | "git"
  | "perl"
  | "perl and a memory control group"
  | "an x64 machine"
  | "Chromium"
  | "Prometheus";

/**
 * Whether this machine has the tool. Bubblewrap counts only where it may create namespaces.
 * Throws when it is missing and REQUIRED_TOOLS, a list with commas, names it: a CI lane must not pass by skipping.
 */
export async function isHere(tool: Tool): Promise<boolean> {
  const here = await isUsable(tool);
  if (!here && process.env.REQUIRED_TOOLS?.split(",").includes(tool)) {
    throw new Error(`REQUIRED_TOOLS names ${tool}, and it is missing here or not usable`);
  }
  return here;
}

async function isUsable(tool: Tool): Promise<boolean> {
  if (tool === "bubblewrap") return (await strongestBackend()).isolation === "full";
  if (tool === "an x64 machine") return process.arch === "x64";
  if (tool === "perl and a memory control group") return (await isUsable("perl")) && countsMemory();
  return programFile(tool.toLowerCase()) !== undefined;
}

/** Absolute path of a program on PATH; undefined where there is none. */
export function programFile(name: string): string | undefined {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.map((directory) => join(directory, name)).find(existsSync);
}

function countsMemory(): boolean {
  const hierarchies = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"];
  const group = hierarchies.map((each) => makeGroup(each, "memory", {})).find((made) => made !== undefined);
  if (group !== undefined) void release(group);
  return group !== undefined;
}

/** The name of a test that is skipped where the tool is missing; `npm run test:needing` selects tests by name. */
export function nameNeeding(tool: Tool, name: string): string {
  return `${name} (needs ${tool})`;
}
