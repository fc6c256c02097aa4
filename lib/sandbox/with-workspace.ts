import { chooseBackend } from "#lib/sandbox/choose-backend.ts";
import { fullVolume } from "#lib/sandbox/full-volume.ts";
import { refusingBackend } from "#lib/sandbox/refusing-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";
import { sweepAbandoned } from "#lib/sandbox/sweep-abandoned.ts";
import type { Volume } from "#lib/sandbox/volume.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

export interface Workspace {
  /** Where the source goes. */
  tree: string;
  /** Home and temporary files of the commands, kept from one to the next. */
  scratch: string;
  volume: Volume;
  backend: SandboxBackend;
}

export interface WorkspaceDemand {
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
