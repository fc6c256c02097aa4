import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { chooseBackend } from "#lib/sandbox/choose-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { sweepAbandoned } from "#lib/sandbox/process/sweep-abandoned.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import { openHostVolume, type Volume } from "#lib/sandbox/volume/volume.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

export interface Workspace {
  /** Where the source goes. */
  tree: string;
  /** Home and temporary files of the commands, kept from one to the next. */
  scratch: string;
  volume: Volume;
  backend: SandboxBackend;
}

interface WorkspaceDemand {
  profile: SandboxProfile;
  /** The strongest that works here unless given. */
  backend?: SandboxBackend | undefined;
}

/**
 * Lends an empty place for one job, of the size the profile allows, and removes it afterwards,
 * however the job ends. What a killed worker left on this machine goes first. When no sandbox is
 * to be had, the place is lent all the same and every command in it throws SandboxUnavailable.
 * Throws RejectedInput `SANDBOX_DISK` or `SANDBOX_INODES` when the job itself fills it.
 */
export async function withWorkspace<Result>(
  demand: WorkspaceDemand,
  use: (workspace: Workspace) => Promise<Result>,
): Promise<Result> {
  sweepAbandoned();
  const { backend, volume } = await openVolume(demand);
  try {
    return await use({ tree: volume.tree, scratch: volume.scratch, volume, backend });
  } catch (error) {
    throw fullVolume(error, volume, demand.profile) ?? error;
  } finally {
    await volume.close();
  }
}

async function openVolume({ profile, backend: given }: WorkspaceDemand) {
  try {
    const backend = given ?? (await chooseBackend(profile.isolation_minimum));
    return { backend, volume: await backend.open(profile) };
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    const backend = refusingBackend(error);
    return { backend, volume: await backend.open(profile) };
  }
}

/** What it means that a write of the worker's own (a source, a diff) found no room; null for any other error. */
function fullVolume(error: unknown, volume: Volume, profile: SandboxProfile): RejectedInput | null {
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

/** Stands where no sandbox is to be had, so that the job goes on to a complete report and runs nothing. */
export function refusingBackend(why: SandboxUnavailable): SandboxBackend {
  return {
    name: "process",
    isolation: "reduced",
    not_enforced: [],
    open: openHostVolume,
    launch: () => Promise.reject(why),
  };
}
