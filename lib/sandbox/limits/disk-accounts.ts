import { statSync, utimesSync } from "node:fs";
import { relative } from "node:path";
import { printable } from "#lib/platform/log/printable.ts";
import { type OpenFile, type ProcessSample, readLargeOpenFiles } from "#lib/sandbox/process/process-table.ts";
import { surveyFiles } from "#lib/sandbox/volume/survey-files.ts";
import { type DiskUsage, scratchDirectories, type Volume } from "#lib/sandbox/volume/volume.ts";
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

export interface DiskAccounts {
  /** Reads the kernel's own count of bytes and files; cheap. */
  count(): LimitHit | null;
  /** Measures the files that are open. A file that was deleted and is still open can be measured nowhere else. */
  openFiles(members: readonly ProcessSample[]): LimitHit | null;
  /** Measures every file; expensive with many files. */
  survey(): Promise<LimitHit | null>;
  /**
   * True when the kernel refuses what exceeds the limit, so that a command which removes all that is too much has kept
   * within it: RLIMIT_FSIZE for a file, the size of the volume for all together.
   */
  isHeldByKernel(hit: LimitHit): boolean;
  peaks(): { disk_bytes_peak: number; inodes_peak: number; file_bytes_peak: number };
  /** The largest number of bytes in files so far, less those at the start. */
  growth_bytes(): number;
}

/** Keeps one measurement of open files within milliseconds; with more processes they take turns. */
const OPEN_PROCESSES_MAX = 32;
const OPEN_DESCRIPTORS_MAX = 64;

/** Decides whether the files of a command exceed a limit of its profile. */
export function diskAccounts(profile: SandboxProfile, volume: Volume): DiskAccounts {
  const changed_after_ms = markTime(volume.scratch);
  const roots = [volume.tree, ...Object.values(scratchDirectories(volume.scratch))];
  const start_bytes = volume.usage()?.bytes ?? 0;
  let turn = 0;
  const peak = { disk_bytes_peak: 0, inodes_peak: 0, file_bytes_peak: 0 };

  const judge = (usage: DiskUsage, how: string): LimitHit | null => {
    peak.disk_bytes_peak = Math.max(peak.disk_bytes_peak, usage.bytes);
    peak.inodes_peak = Math.max(peak.inodes_peak, usage.inodes);
    return diskHit(profile, usage, how);
  };
  return {
    count() {
      const usage = volume.usage();
      return usage && judge(usage, "statfs(2) of the sandbox's own file system");
    },
    openFiles(members) {
      const [first, last] = [turn++ % Math.max(1, members.length), OPEN_PROCESSES_MAX];
      const options = { bytes_min: profile.file_bytes_max + 1, descriptors_max: OPEN_DESCRIPTORS_MAX };
      for (const { pid } of [...members.slice(first), ...members.slice(0, first)].slice(0, last)) {
        const [large] = readLargeOpenFiles(pid, options).filter(
          (file) => isOn(volume, file) && file.changed_ms > changed_after_ms,
        );
        if (!large) continue;
        peak.file_bytes_peak = Math.max(peak.file_bytes_peak, large.bytes);
        return fileHit(
          profile,
          large.bytes,
          `fstat(2) of ${printable(large.path)}, which process ${pid} had open`,
        );
      }
      return null;
    },
    async survey() {
      const entries_max = 2 * profile.inodes_max + 1000;
      const found = await surveyFiles(roots, { changed_after_ms, entries_max });
      peak.file_bytes_peak = Math.max(peak.file_bytes_peak, found.largest?.bytes ?? 0);
      const { largest } = found;
      if (largest && largest.bytes > profile.file_bytes_max) {
        return fileHit(profile, largest.bytes, `lstat(2) of ${placeOf(largest.path, volume)}`);
      }
      return volume.usage() ? null : judge(found, "lstat(2) of every file");
    },
    isHeldByKernel: ({ code }) => code === "SANDBOX_FILE_SIZE" || volume.usage() !== null,
    peaks: () => ({ ...peak }),
    growth_bytes: () => Math.max(0, peak.disk_bytes_peak - start_bytes),
  };
}

/** A path as the command knows it: below the tree, its home or a directory for temporary files. */
function placeOf(path: string, { tree, scratch }: Volume): string {
  const { home, temporary, shared_memory } = scratchDirectories(scratch);
  const names = { [home]: "~/", [temporary]: "$TMPDIR/", [shared_memory]: "/dev/shm/", [tree]: "" };
  const [root = tree, name = ""] = Object.entries(names).find(([root]) => path.startsWith(`${root}/`)) ?? [];
  return printable(`${name}${relative(root, path)}`);
}

/** Compares devices where the volume is a file system of its own, else paths. */
function isOn(volume: Volume, { device, path }: OpenFile): boolean {
  if (volume.namespace) return device === statSync(volume.tree).dev;
  return [volume.tree, volume.scratch].some((root) => path.startsWith(`${root}/`));
}

function fileHit({ file_bytes_max }: SandboxProfile, bytes: number, how: string): LimitHit {
  return {
    code: "SANDBOX_FILE_SIZE",
    limit: file_bytes_max,
    observed: bytes,
    evidence: `a file of ${bytes} bytes, from ${how}`,
  };
}

function diskHit(profile: SandboxProfile, { bytes, inodes }: DiskUsage, how: string): LimitHit | null {
  if (inodes > profile.inodes_max) {
    return {
      code: "SANDBOX_INODES",
      limit: profile.inodes_max,
      observed: inodes,
      evidence: `${inodes} files, directories and links at once, from ${how}`,
    };
  }
  if (bytes > profile.disk_bytes_max) {
    return {
      code: "SANDBOX_DISK",
      limit: profile.disk_bytes_max,
      observed: bytes,
      evidence: `${bytes} bytes in files at once, from ${how}`,
    };
  }
  return null;
}

/** The file system's current time, in milliseconds; it lags a little behind the clock. */
function markTime(directory: string): number {
  const now = new Date();
  utimesSync(directory, now, now);
  return statSync(directory).ctimeMs;
}
