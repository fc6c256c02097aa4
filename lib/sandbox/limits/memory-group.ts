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
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/**
 * The kernel's own count of a command's memory, from a control group. Only this count includes shared memory that no
 * process maps at the moment (a shared mapping released by madvise, memfd, System V segments).
 */
export interface MemoryGroup {
  /** True when the kernel counts; otherwise shared memory is counted only while it is mapped and resident. */
  counted: boolean;
  join(pids: readonly number[]): void;
  /** Like `join`, in the background. */
  joinSoon(pid: number): void;
  /** Bytes of anonymous and shared memory, files on the command's own volume left out; 0 when the kernel does not count. */
  bytes(): number;
  /** The memory limit, when the kernel has ended a process for exceeding the group's maximum; else null. */
  hit(): LimitHit | null;
  release(): Promise<void>;
}

const VERSION_1 = "/sys/fs/cgroup/memory";
const TMPFS_MAGIC = 0x01021994;
const SLACK_BYTES = 256 * 1024 * 1024;

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
  return {
    counted: true,
    join: own ? (pids) => joinGroup(group_file, pids) : () => {},
    joinSoon: own ? (pid) => void writeFile(group_file, String(pid)).catch(() => {}) : () => {}, // it has ended
    bytes: () => bytesOf(readIfThere(join(group, "memory.stat")), volume),
    hit: () => hitOf(group, profile),
    release: () => (own ? release(own) : Promise.resolve()),
  };
}

const NO_GROUP: MemoryGroup = {
  ...{ counted: false, join: () => {}, joinSoon: () => {}, bytes: () => 0, hit: () => null },
  release: async () => {},
};

/** True when files on the volume can be told apart from other shared memory: files on a tmpfs are shared memory too. */
function isVolumeCounted(volume: Volume): boolean {
  return volume.usage() !== null || statfsSync(volume.scratch).type !== TMPFS_MAGIC;
}

function bytesOf(stat: string, volume: Volume): number {
  const figure = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  const anonymous = figure("total_rss") || figure("anon");
  const shared = figure("total_shmem") || figure("shmem");
  return anonymous + Math.max(0, shared - (volume.usage()?.bytes ?? 0));
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
