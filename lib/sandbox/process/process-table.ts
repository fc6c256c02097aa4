import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";

/** One line of the kernel's accounting, from /proc/<pid>/stat (proc_pid_stat(5)). */
export interface ProcessSample {
  pid: number;
  /** `Z` is a zombie: dead, but not yet reaped. */
  state: string;
  parent: number;
  group: number;
  session: number;
  /** CPU time of this process alone, including its ended threads. */
  cpu_ms: number;
  /** CPU time of the children it has waited for, and of their children. */
  reaped_cpu_ms: number;
  threads: number;
  /** Start time in clock ticks since boot. A pid and a start time identify one process; a pid alone may be reused. */
  started: number;
  resident_bytes: number;
  /** Addresses that are mapped, whether or not memory is behind them. */
  virtual_bytes: number;
}

/** The pids of all processes, or null on a system without /proc. */
export function listProcesses(): number[] | null {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return null;
  }
}

/** Null for a process that has ended. */
export function readProcess(pid: number): ProcessSample | null {
  const text = readOrNull(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name is in brackets and may hold anything, brackets and spaces too.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number_in_manual: number) => Number(fields[number_in_manual - 3]);
  return {
    pid,
    state: fields[0] ?? "X",
    parent: field(4),
    group: field(5),
    session: field(6),
    cpu_ms: (field(14) + field(15)) * MS_PER_TICK,
    reaped_cpu_ms: (field(16) + field(17)) * MS_PER_TICK,
    threads: field(20),
    started: field(22),
    resident_bytes: field(24) * PAGE_BYTES,
    virtual_bytes: field(23),
  };
}

/** Resident bytes with shared pages divided among their sharers; null where it cannot be read. */
export function readProportionalBytes(pid: number): number | null {
  const match = /^Pss:\s+(\d+) kB$/m.exec(readOrNull(`/proc/${pid}/smaps_rollup`) ?? "");
  return match ? Number(match[1]) * 1024 : null;
}

/** Bytes of the page tables of a process (proc_pid_status(5)); 0 where it cannot be read. */
export function readPageTableBytes(pid: number): number {
  return Number(/^VmPTE:\s+(\d+) kB$/m.exec(readOrNull(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) * 1024;
}

/** How many files a process has open; null where it cannot be read. Linux 6.2 and later give the number without a listing. */
export function readOpenFiles(pid: number): number | null {
  try {
    const { size } = statSync(`/proc/${pid}/fd`);
    return size > 0 ? size : readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null;
  }
}

/**
 * The room in a process's table of descriptors: a power of two, which grows to hold the highest descriptor and never
 * shrinks. So it tells of files that are closed again (`FDSize` in proc_pid_status(5)). 0 when the process is gone.
 */
export function readDescriptorRoom(pid: number): number {
  return Number(/^FDSize:\s+(\d+)$/m.exec(readOrNull(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
}

/** The most room that a process needs for so many open files, with descriptors that are not in a row. */
export function descriptorRoom(open_files: number): number {
  return 2 * 2 ** Math.ceil(Math.log2(Math.max(64, open_files)));
}

export interface OpenFile {
  /** Path as the process sees it; the path of a deleted file ends with " (deleted)". */
  path: string;
  bytes: number;
  device: number;
  changed_ms: number;
}

/**
 * Regular files of at least that size among the first `descriptors_max` that a process has open, deleted ones too;
 * none where it cannot be read.
 */
export function readLargeOpenFiles(
  pid: number,
  { bytes_min, descriptors_max }: { bytes_min: number; descriptors_max: number },
): OpenFile[] {
  const found: OpenFile[] = [];
  try {
    for (const descriptor of readdirSync(`/proc/${pid}/fd`).slice(0, descriptors_max)) {
      const place = `/proc/${pid}/fd/${descriptor}`;
      const stat = statSync(place, { throwIfNoEntry: false });
      if (!stat?.isFile() || stat.size < bytes_min) continue;
      found.push({ path: readlinkSync(place), bytes: stat.size, device: stat.dev, changed_ms: stat.ctimeMs });
    }
  } catch {
    // The process has ended.
  }
  return found;
}

/** Bytes a process, and the children it has waited for, passed to write calls (proc_pid_io(5)). */
export function readWrittenBytes(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readOrNull(`/proc/${pid}/io`) ?? "")?.[1] ?? 0);
}

/** A variable of the environment a process was started with; null without it. */
export function readEnvironmentVariable(pid: number, name: string): string | null {
  const entry = readOrNull(`/proc/${pid}/environ`)
    ?.split("\0")
    .find((each) => each.startsWith(`${name}=`));
  return entry?.slice(name.length + 1) ?? null;
}

/** Whether a process was started with `marker` (`NAME=value`) in its environment. */
export function carriesMarker(pid: number, marker: string): boolean {
  return readOrNull(`/proc/${pid}/environ`)?.split("\0").includes(marker) ?? false;
}

const shared_buffer = Buffer.allocUnsafe(64 * 1024);

/** Files of /proc have no size, and readFileSync is slow with those. Text longer than the buffer is cut. */
function readOrNull(path: string): string | null {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    let length = 0;
    for (let read = -1; read !== 0 && length < shared_buffer.length; length += read) {
      read = readSync(file, shared_buffer, length, shared_buffer.length - length, null);
    }
    return shared_buffer.toString("latin1", 0, length);
  } catch {
    return null;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Page size and clock ticks differ by machine; the kernel tells every process (getauxval(3)). */
function auxiliaryValue(type: bigint, otherwise: number): number {
  try {
    const vector = readFileSync("/proc/self/auxv");
    for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
      if (vector.readBigUInt64LE(offset) === type) return Number(vector.readBigUInt64LE(offset + 8));
    }
  } catch {}
  return otherwise;
}

const PAGE_BYTES = auxiliaryValue(6n, 4096);
const MS_PER_TICK = 1000 / auxiliaryValue(17n, 100);
