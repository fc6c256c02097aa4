import { type CommandOrder, type CommandResult, runCommand } from "#lib/sandbox/run-command.ts";
import { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";
import type { Phase } from "#schemas/artifacts/build-test-report.ts";

export interface PhaseRun {
  phase: Phase;
  /** Null when nothing ran. */
  result: CommandResult | null;
  /** What the log artifact holds: the command's output, or a line that says why there is none. */
  log: Buffer;
  /** Why the sandbox could not run it; null when it could. */
  unavailable: SandboxUnavailable | null;
}

interface PhasePlace {
  name: Phase["name"];
  log: string;
}

const NO_USAGE = {
  wall_ms: 0,
  cpu_ms: null,
  memory_bytes_peak: null,
  processes_peak: null,
  ...{
    open_files_peak: null,
    bytes_written: null,
    disk_bytes_peak: null,
    inodes_peak: null,
    file_bytes_peak: null,
  },
  output_bytes: 0,
  network_bytes: null,
} as const;

/** Runs one command as a phase of a report. A sandbox that is not to be had is an outcome here. */
export async function runPhase(place: PhasePlace, order: CommandOrder): Promise<PhaseRun> {
  try {
    const result = await runCommand(order);
    const { exit_code, signal, limit, usage, network } = result;
    const status = exit_code === 0 && limit === null ? "passed" : "failed";
    const { command } = order;
    const phase: Phase = { ...place, command, status, exit_code, signal, limit, usage, network };
    return { phase, result, log: result.log, unavailable: null };
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    return { ...nothingRan(place, order.command, "error", error.message), unavailable: error };
  }
}

/** A phase that there was no command for, or that one before it made pointless. */
export function skippedPhase(place: PhasePlace, command: string, why: string): PhaseRun {
  return nothingRan(place, command, "skipped", why);
}

function nothingRan(place: PhasePlace, command: string, status: "error" | "skipped", why: string): PhaseRun {
  const phase: Phase = {
    name: place.name,
    log: command === "" ? null : place.log,
    command,
    status,
    exit_code: null,
    signal: null,
    limit: null,
    usage: NO_USAGE,
    network: null,
  };
  return { phase, result: null, log: Buffer.from(`nothing ran: ${why}\n`), unavailable: null };
}
