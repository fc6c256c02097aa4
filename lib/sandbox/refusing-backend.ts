import { openHostVolume } from "#lib/sandbox/host-volume.ts";
import type { SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import type { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";

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
