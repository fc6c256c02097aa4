import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { Volume } from "#lib/sandbox/volume.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** What it means that a write of the worker's own (a source, a diff) found no room; null for any other error. */
export function fullVolume(error: unknown, volume: Volume, profile: SandboxProfile): RejectedInput | null {
  const { code } = (error ?? {}) as { code?: unknown };
  const usage = code === "ENOSPC" ? volume.usage() : null;
  if (!usage) return null;
  const { disk_bytes_max, inodes_max } = profile;
  if (usage.inodes >= inodes_max) {
    return new RejectedInput(
      "SANDBOX_INODES",
      `the source alone has more than the ${inodes_max} files and directories its profile allows: choose a larger profile`,
    );
  }
  return new RejectedInput(
    "SANDBOX_DISK",
    `the source alone is larger than the ${disk_bytes_max} bytes its profile allows: choose a larger profile`,
  );
}
