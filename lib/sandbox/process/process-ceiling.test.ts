import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { workerMark } from "#lib/platform/processes/worker-mark.ts";
import { processCeiling } from "#lib/sandbox/process/process-ceiling.ts";
import { temporaryDirectory } from "#test/temporary.ts";

let root: string;
let hierarchy: string;
beforeEach(() => {
  root = temporaryDirectory("cgroup");
  hierarchy = join(root, "pids");
});

describe("the ceiling on processes", () => {
  it("is a group of its own, with a maximum above the limit", () => {
    mkdirSync(hierarchy, { recursive: true });
    writeFileSync(join(hierarchy, "cgroup.procs"), "");
    const ceiling = processCeiling(60, [hierarchy]);
    const [group = ""] = readdirSync(hierarchy).filter((name) => name.startsWith("distributed-agents-"));
    expect(readFileSync(join(hierarchy, group, "pids.max"), "utf8")).toBe("136");
    ceiling.join([4711]);
    expect(ceiling.members()).toEqual([4711]);
  });

  it("says that the limit was met when the kernel refused a fork, and not before", () => {
    mkdirSync(hierarchy, { recursive: true });
    writeFileSync(join(hierarchy, "cgroup.procs"), "");
    const ceiling = processCeiling(60, [hierarchy]);
    const [group = ""] = readdirSync(hierarchy).filter((name) => name.startsWith("distributed-agents-"));
    expect(ceiling.hit()).toBe(null);
    writeFileSync(join(hierarchy, group, "pids.events"), "max 0\n");
    expect(ceiling.hit()).toBe(null);
    writeFileSync(join(hierarchy, group, "pids.events"), "max 3\n");
    expect(ceiling.hit()).toMatchObject({ code: "SANDBOX_PROCESSES", limit: 60, observed: 136 });
  });

  it("clears away the groups of workers that died, and no others", () => {
    const dead_mark = workerMark().replace(/\.\d+\.\d+$/, `.${spawnSync("true").pid}.1`);
    const abandoned = join(hierarchy, `distributed-agents-${dead_mark}-x`);
    const current = join(hierarchy, `distributed-agents-${workerMark()}-x`);
    for (const group of [abandoned, current]) mkdirSync(group, { recursive: true });
    writeFileSync(join(hierarchy, "cgroup.procs"), "");
    processCeiling(60, [hierarchy]);
    expect(existsSync(abandoned)).toBe(false);
    expect(existsSync(current)).toBe(true);
  });

  it("is none where the kernel offers no such controller", async () => {
    const ceiling = processCeiling(60, [join(root, "nothing")]);
    expect(ceiling.grouped).toBe(false);
    expect(ceiling.members()).toEqual([]);
    await ceiling.release();
  });
});
