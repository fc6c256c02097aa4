import { existsSync, statfsSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  joinGroup,
  makeGroup,
  type ProcessCeiling,
  readIfThere,
  release,
} from "#lib/sandbox/process/process-ceiling.ts";
import type { Volume } from "#lib/sandbox/volume/volume.ts";
import type { LimitHit, NotEnforced } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/**
 * The kernel's own count of a command's memory, from a control group. Only this count includes shared memory that no
 * process maps at the moment (a shared mapping released by madvise, memfd, System V segments).
 */
export interface MemoryGroup {
  /**
   * What is not counted: `shared memory` without a group, unless it is mapped and resident; `kernel memory` other than
   * page tables (pipes, sockets, threads' stacks) where the kernel does not tell it apart from caches.
   */
  not_counted: NotEnforced[];
  join(pids: readonly number[]): void;
  /** Like `join`, in the background. */
  joinSoon(pid: number): void;
  read(): GroupMemory;
  /** The memory limit, when the kernel has ended a process for exceeding the group's maximum; else null. */
  hit(): LimitHit | null;
  release(): Promise<void>;
}

export interface GroupMemory {
  /** Bytes of anonymous and shared memory, files on the command's own volume left out; 0 when the kernel does not count. */
  bytes: number;
  /** Bytes the kernel holds for the processes and cannot take back; null when it does not tell. */
  kernel_bytes: number | null;
}

const VERSION_1 = "/sys/fs/cgroup/memory";
const TMPFS_MAGIC = 0x01021994;
const SLACK_BYTES = 256 * 1024 * 1024;
/** What the kernel takes for a file on a tmpfs, beside its content. */
const INODE_BYTES = 1024;

/**
 * Creates the control group, or uses the one of the process ceiling. Version 1 has a hierarchy of its own for memory;
 * version 2 has one hierarchy, whose groups may lack the memory controller.
 * https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, "Memory" in cgroup-v2.html beside it.
 */
export function memoryGroup(
  profile: SandboxProfile,
  volume: Volume,
  ceiling: ProcessCeiling,
  version_1 = VERSION_1,
): MemoryGroup {
  if (!isVolumeCounted(volume)) return NO_GROUP;
  // Well above the limit, so that the accountant sees the limit exceeded first and names it.
  const most = 2 * profile.memory_bytes_max + profile.disk_bytes_max + SLACK_BYTES;
  const own = makeGroup(version_1, "memory", { "memory.limit_in_bytes": most });
  const shared = ceiling.directory;
  const group = own ?? (shared !== null && existsSync(join(shared, "memory.max")) ? shared : undefined);
  if (group === undefined) return NO_GROUP;
  if (!own) writeFileSync(join(group, "memory.max"), String(most));
  const group_file = join(group, "cgroup.procs");
  const read = () => parseMemory(readIfThere(join(group, "memory.stat")), volume);
  return {
    not_counted: read().kernel_bytes === null ? ["kernel memory"] : [],
    join: own ? (pids) => joinGroup(group_file, pids) : () => {},
    joinSoon: own ? (pid) => void writeFile(group_file, String(pid)).catch(() => {}) : () => {}, // it has ended
    read,
    hit: () => hitOf(group, profile),
    release: () => (own ? release(own) : Promise.resolve()),
  };
}

const NO_GROUP: MemoryGroup = {
  not_counted: ["shared memory", "kernel memory"],
  ...{ join: () => {}, joinSoon: () => {}, hit: () => null },
  read: () => ({ bytes: 0, kernel_bytes: null }),
  release: async () => {},
};

/** True when files on the volume can be told apart from other shared memory: files on a tmpfs are shared memory too. */
function isVolumeCounted(volume: Volume): boolean {
  return volume.usage() !== null || statfsSync(volume.scratch).type !== TMPFS_MAGIC;
}

/**
 * Version 2 tells the memory of the kernel apart (`kernel`, since Linux 5.18), and in it the caches of files and names,
 * which it takes back when memory is short and which no program asks for. Version 1 gives their sum alone.
 */
function parseMemory(stat: string, volume: Volume): GroupMemory {
  const read = (name: string) => new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1];
  const figure = (name: string) => Number(read(name) ?? 0);
  const anonymous = figure("total_rss") || figure("anon");
  const shared = figure("total_shmem") || figure("shmem");
  const files = volume.usage() ?? { bytes: 0, inodes: 0 };
  const bytes = anonymous + Math.max(0, shared - files.bytes);
  if (read("kernel") === undefined) return { bytes, kernel_bytes: null };
  const held = figure("kernel") - figure("slab_reclaimable") - files.inodes * INODE_BYTES;
  return { bytes, kernel_bytes: Math.max(0, held) + figure("sock") };
}

function hitOf(group: string, { memory_bytes_max }: SandboxProfile): LimitHit | null {
  const events = `${readIfThere(join(group, "memory.oom_control"))}\n${readIfThere(join(group, "memory.events"))}`;
  const killed = Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  if (killed === 0) return null;
  const observed = 2 * memory_bytes_max;
  return {
    code: "SANDBOX_MEMORY",
    limit: memory_bytes_max,
    observed,
    evidence: `more than ${observed} bytes at once: the kernel ended ${killed} of its processes, from oom_kill of its memory control group`,
  };
}
