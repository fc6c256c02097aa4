import {
  type ProcessSample,
  readOpenFiles,
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
 * waited for (which includes processes too short-lived to be sampled). The first `own_process_levels` levels of the
 * tree belong to the backend and are not counted. `group_bytes` reads the kernel's count of the memory of all
 * processes together; it returns 0 without one.
 */
export function accountant(
  profile: SandboxProfile,
  root: number,
  own_process_levels: 0 | 2,
  group_bytes: () => number = () => 0,
): Accountant {
  const own_cpu_ms = new Map<string, number>();
  const peak: ProcessPeaks = {
    ...{ cpu_ms: 0, memory_bytes_peak: 0, processes_peak: 0, open_files_peak: 0, bytes_written: 0 },
  };
  let samples = 0;

  const isOfBackend = (member: ProcessSample) =>
    own_process_levels > 0 && (member.pid === root || member.parent === root);

  return {
    add(members) {
      if (members.length > 0) samples++;
      for (const { pid, started, cpu_ms } of members) own_cpu_ms.set(`${pid}:${started}`, cpu_ms);
      const ever_seen_ms = sum(own_cpu_ms.values());
      const living_ms = sum(members.map((member) => member.cpu_ms + member.reaped_cpu_ms));
      const cpu_ms = Math.max(ever_seen_ms, living_ms, peak.cpu_ms);
      const counted = members.filter((member) => !isOfBackend(member));
      const processes = sum(counted.map((member) => member.threads));
      const resident_bytes = residentBytes(counted, profile.memory_bytes_max);
      const grouped_bytes = group_bytes();
      const memory_bytes = Math.max(resident_bytes, grouped_bytes);
      const open_files = Math.max(0, ...counted.map((member) => readOpenFiles(member.pid) ?? 0));
      peak.cpu_ms = cpu_ms;
      peak.open_files_peak = Math.max(peak.open_files_peak, open_files);
      const written = sum(members.map((member) => readWrittenBytes(member.pid)));
      peak.bytes_written = Math.max(peak.bytes_written, written);
      peak.processes_peak = Math.max(peak.processes_peak, processes);
      peak.memory_bytes_peak = Math.max(peak.memory_bytes_peak, memory_bytes);
      const memory_from =
        grouped_bytes > resident_bytes
          ? "bytes of anonymous and shared memory at once, mapped or not, from memory.stat of the command's control group"
          : `bytes resident at once in ${counted.length} processes, shared pages counted once, from /proc/<pid>/smaps_rollup and stat`;
      const seen = { cpu_ms, processes, memory_bytes, memory_from, open_files, counted: counted.length };
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
    counted: number;
  },
): LimitHit | null {
  const cpu_seconds = seen.cpu_ms / 1000;
  const figures: LimitHit[] = [
    {
      code: "SANDBOX_PROCESSES",
      limit: profile.processes_max,
      observed: seen.processes,
      evidence: `${seen.processes} processes and threads alive at once in ${seen.counted} processes, counted in /proc/<pid>/stat`,
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
      evidence: `${seen.open_files} files open at once in one process, counted in /proc/<pid>/fd`,
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

/** The cheap sum counts a shared page once for each process, so a sum over the limit is computed again exactly. */
function residentBytes(members: readonly ProcessSample[], memory_bytes_max: number): number {
  const resident_bytes = sum(members.map((member) => member.resident_bytes));
  if (resident_bytes <= memory_bytes_max) return resident_bytes;
  return sum(members.map((member) => readProportionalBytes(member.pid) ?? member.resident_bytes));
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
