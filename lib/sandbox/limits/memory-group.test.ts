import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryGroup } from "#lib/sandbox/limits/memory-group.ts";
import { processCeiling } from "#lib/sandbox/process/process-ceiling.ts";
import type { Volume } from "#lib/sandbox/volume/volume.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { temporaryDirectory } from "#test/temporary.ts";

const MIB = 1024 * 1024;
const root = temporaryDirectory("memory-group");

const volume = { usage: () => ({ bytes: 10 * MIB, inodes: 1024 }) } as Volume;

/** The memory of a group whose memory.stat is this; null where there is no group. */
function groupWith(stat: string | null) {
  mkdirSync(root, { recursive: true });
  const none = processCeiling(10, [join(root, "nothing")]);
  const ceiling = stat === null ? none : { ...none, directory: root };
  if (stat !== null) writeFileSync(join(root, "memory.max"), "");
  if (stat !== null) writeFileSync(join(root, "memory.stat"), stat);
  return memoryGroup(generousProfile(), volume, ceiling, join(root, "version-1", "memory"));
}

describe("the memory of a control group", () => {
  it("of version 2 has the kernel's part, without its caches and the volume's files", () => {
    const group = groupWith(
      `anon ${20 * MIB}\nkernel ${50 * MIB}\nkernel_stack 4096\nsock ${3 * MIB}\nshmem ${15 * MIB}\nslab_reclaimable ${9 * MIB}\n`,
    );
    expect(group.not_counted).toEqual([]);
    expect(group.read()).toEqual({ bytes: 25 * MIB, kernel_bytes: 43 * MIB });
  });

  it("before Linux 5.18 has not, and says so", () => {
    const group = groupWith(`anon ${20 * MIB}\nkernel_stack 4096\nshmem 0\n`);
    expect(group.not_counted).toEqual(["kernel memory"]);
    expect(group.read()).toEqual({ bytes: 20 * MIB, kernel_bytes: null });
  });

  it("is not counted where there is no group, and the report says so", () => {
    const group = groupWith(null);
    expect(group.not_counted).toEqual(["shared memory", "kernel memory"]);
    expect(group.read()).toEqual({ bytes: 0, kernel_bytes: null });
  });
});
