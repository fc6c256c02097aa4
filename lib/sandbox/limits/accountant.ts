import type { GroupMemory } from "#lib/sandbox/limits/memory-group.ts";
import {
  descriptorRoom,
  type ProcessSample,
  readDescriptorRoom,
  readOpenFiles,
  readPageTableBytes,
  readProportionalBytes,
  readWrittenBytes,
} from "#lib/sandbox/process/process-table.ts";
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

interface ProcessPeaks {
  cpu_ms: number;
  memory_bytes_peak: number;
  processes_peak: number;
  open_files_peak: number;
  bytes_written: number;
}

export interface Accountant {
  /** Adds one sample of the command's processes. Returns the first limit it proves exceeded, or null. */
  add(members: readonly ProcessSample[]): LimitHit | null;
  /** The highest figures so far; null when nothing could be measured (a system without /proc). */
  peaks(): ProcessPeaks | null;
}

/**
 * Decides from samples of a process tree whether a command exceeds a limit. The CPU time is the higher of two lower
 * bounds: the sum over every process ever sampled, and the sum over the living processes and the children they have
 * waited for (which includes processes too short-lived to be sampled). `readGroup` reads the kernel's count of the
 * memory of all processes together. Of the two `own_process_levels` of a backend, the root is outside the sandbox and
 * not counted; its child is inside, where a command may make it work. From the moment the command is there all of the
 * child is counted, but for its being one process.
 */
export function accountant(
  profile: SandboxProfile,
  root: number,
  own_process_levels: 0 | 2,
  readGroup: () => GroupMemory = () => ({ bytes: 0, kernel_bytes: null }),
): Accountant {
  const own_cpu_ms = new Map<string, number>();
  const peak: ProcessPeaks = {
    ...{ cpu_ms: 0, memory_bytes_peak: 0, processes_peak: 0, open_files_peak: 0, bytes_written: 0 },
  };
  let samples = 0;
  let began = own_process_levels === 0;

  return {
    add(members) {
      if (members.length > 0) samples++;
      for (const { pid, started, cpu_ms } of members) own_cpu_ms.set(`${pid}:${started}`, cpu_ms);
      const ever_seen_ms = sum(own_cpu_ms.values());
      const living_ms = sum(members.map((member) => member.cpu_ms + member.reaped_cpu_ms));
      const cpu_ms = Math.max(ever_seen_ms, living_ms, peak.cpu_ms);
      const own = own_process_levels === 0 ? [] : members.filter(({ parent }) => parent === root);
      began ||= own.some(({ pid }) => members.some(({ parent }) => parent === pid));
      const outside = own_process_levels === 0 ? [] : [root, ...(began ? [] : own.map(({ pid }) => pid))];
      const counted = members.filter(({ pid }) => !outside.includes(pid));
      const processes = sum(counted.map((member) => member.threads)) - (began ? own.length : 0);
      const resident_bytes = residentBytes(counted, profile.memory_bytes_max);
      const group = readGroup();
      const held_bytes = Math.max(resident_bytes, group.bytes);
      const kernel_bytes =
        group.kernel_bytes ?? pageTableBytes(counted, profile.memory_bytes_max - held_bytes);
      const memory_bytes = held_bytes + kernel_bytes;
      const open_files = Math.max(
        0,
        ...counted.map((member) => openFilesOf(member.pid, profile.open_files_max)),
      );
      peak.cpu_ms = cpu_ms;
      peak.open_files_peak = Math.max(peak.open_files_peak, open_files);
      const written = sum(members.map((member) => readWrittenBytes(member.pid)));
      peak.bytes_written = Math.max(peak.bytes_written, written);
      peak.processes_peak = Math.max(peak.processes_peak, processes);
      peak.memory_bytes_peak = Math.max(peak.memory_bytes_peak, memory_bytes);
      const held_from =
        group.bytes > resident_bytes
          ? "bytes of anonymous and shared memory at once, mapped or not, from memory.stat of the command's control group"
          : `bytes resident at once in ${counted.length} processes, shared pages counted once, from /proc/<pid>/smaps_rollup and stat`;
      const memory_from = `${held_from}${kernelPart(kernel_bytes, group)}`;
      const seen = { cpu_ms, processes, memory_bytes, memory_from, open_files };
      return exceeded(profile, seen);
    },
    peaks: () => (samples === 0 ? null : { ...peak, cpu_ms: Math.round(peak.cpu_ms) }),
  };
}

function exceeded(
  profile: SandboxProfile,
  seen: {
    cpu_ms: number;
    processes: number;
    memory_bytes: number;
    memory_from: string;
    open_files: number;
  },
): LimitHit | null {
  const cpu_seconds = seen.cpu_ms / 1000;
  const figures: LimitHit[] = [
    {
      code: "SANDBOX_PROCESSES",
      limit: profile.processes_max,
      observed: seen.processes,
      evidence: `${seen.processes} processes and threads of the command alive at once, counted in /proc/<pid>/stat`,
    },
    {
      code: "SANDBOX_MEMORY",
      limit: profile.memory_bytes_max,
      observed: seen.memory_bytes,
      evidence: `${seen.memory_bytes} ${seen.memory_from}`,
    },
    {
      code: "SANDBOX_OPEN_FILES",
      limit: profile.open_files_max,
      observed: seen.open_files,
      evidence: `${seen.open_files} files open at once in one process, from /proc/<pid>/fd and FDSize in status`,
    },
    {
      code: "SANDBOX_CPU_TIME",
      limit: profile.cpu_seconds,
      observed: cpu_seconds,
      evidence: `${cpu_seconds.toFixed(2)} s of CPU time in all its processes together, from /proc/<pid>/stat`,
    },
  ];
  return figures.find(({ limit, observed }) => observed > limit) ?? null;
}

/** Files open in a process, or that were open in it at once when they were too many: its kernel table has grown then. */
function openFilesOf(pid: number, open_files_max: number): number {
  const open = readOpenFiles(pid) ?? 0;
  if (open > open_files_max) return open;
  return readDescriptorRoom(pid) > descriptorRoom(open_files_max) ? open_files_max + 1 : open;
}

/** The cheap sum counts a shared page once for each process, so a sum over the limit is computed again exactly. */
function residentBytes(members: readonly ProcessSample[], memory_bytes_max: number): number {
  const resident_bytes = sum(members.map((member) => member.resident_bytes));
  if (resident_bytes <= memory_bytes_max) return resident_bytes;
  return sum(members.map((member) => readProportionalBytes(member.pid) ?? member.resident_bytes));
}

/**
 * A page table for each 2 MiB of addresses (4 KiB pages, 8 byte entries), with as much again for the levels above and
 * for architectures with larger ones.
 */
const PAGE_TABLE_SHARE = 2 / 512;

/**
 * The page tables of all processes. Reading them takes a file for each process, so 0 is given while the addresses in
 * use are too few for page tables of more than `spare_bytes`.
 */
function pageTableBytes(members: readonly ProcessSample[], spare_bytes: number): number {
  const most = sum(members.map((member) => member.virtual_bytes)) * PAGE_TABLE_SHARE;
  return most <= spare_bytes ? 0 : sum(members.map((member) => readPageTableBytes(member.pid)));
}

function kernelPart(kernel_bytes: number, { kernel_bytes: counted }: GroupMemory): string {
  if (kernel_bytes === 0) return "";
  const what =
    counted === null ? "page tables, from VmPTE in /proc/<pid>/status" : "memory of the kernel for it";
  return `, ${kernel_bytes} of them ${what}`;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
