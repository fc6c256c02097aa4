import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { chooseBackend } from "#lib/sandbox/choose-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { sweepAbandoned } from "#lib/sandbox/process/sweep-abandoned.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import { surveyFiles } from "#lib/sandbox/volume/survey-files.ts";
import { openHostVolume, type Volume } from "#lib/sandbox/volume/volume.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

export interface Workspace {
  /** The directory of the source. */
  tree: string;
  /** The home and the temporary files of the commands, kept from one command to the next. */
  scratch: string;
  volume: Volume;
  backend: SandboxBackend;
}

interface WorkspaceDemand {
  profile: SandboxProfile;
  /** The strongest backend that works on this machine, unless given. */
  backend?: SandboxBackend | undefined;
}

/**
 * Opens an empty workspace of the size the profile allows for one job, and removes it however the job ends. First it
 * removes what killed workers left on this machine. Without a sandbox the workspace is opened all the same, and every
 * command in it throws SandboxUnavailable.
 * Throws RejectedInput `SANDBOX_DISK` or `SANDBOX_INODES` when the source or the diff does not fit.
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

/**
 * Measures the source and the diff on a volume whose use the kernel does not count. The others are full when they do not fit.
 * Throws RejectedInput `SANDBOX_DISK` or `SANDBOX_INODES`.
 */
export async function checkSourceFits({ tree, volume }: Workspace, profile: SandboxProfile): Promise<void> {
  if (volume.usage()) return;
  const limits = { changed_after_ms: 0, entries_max: profile.inodes_max + 1 };
  const found = await surveyFiles([tree], limits);
  if (found.inodes > profile.inodes_max) throw tooMany(profile);
  if (found.bytes > profile.disk_bytes_max) throw tooLarge(profile);
}

/** The rejection for a full volume when the worker itself wrote to it (a source, a diff); null for any other error. */
function fullVolume(error: unknown, volume: Volume, profile: SandboxProfile): RejectedInput | null {
  const { code } = (error ?? {}) as { code?: unknown };
  const usage = code === "ENOSPC" ? volume.usage() : null;
  if (!usage) return null;
  return usage.inodes >= profile.inodes_max ? tooMany(profile) : tooLarge(profile);
}

const tooMany = ({ inodes_max }: SandboxProfile) =>
  new RejectedInput(
    "SANDBOX_INODES",
    `the source alone has more than the ${inodes_max} files and directories its profile allows: choose a larger profile`,
  );

const tooLarge = ({ disk_bytes_max }: SandboxProfile) =>
  new RejectedInput(
    "SANDBOX_DISK",
    `the source alone is larger than the ${disk_bytes_max} bytes its profile allows: choose a larger profile`,
  );

/** The backend when there is no sandbox: every command throws `why`, so that the job still ends with a complete report. */
export function refusingBackend(why: SandboxUnavailable): SandboxBackend {
  return {
    name: "process",
    isolation: "reduced",
    not_enforced: [],
    open: openHostVolume,
    launch: () => Promise.reject(why),
  };
}
