import { existsSync } from "node:fs";
import { bubblewrapPaths } from "#lib/platform/settings/bubblewrap.ts";
import { type Bubblewrap, bubblewrapBackend } from "#lib/sandbox/bubblewrap/bubblewrap-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { runCommand } from "#lib/sandbox/run-command.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/**
 * The strongest backend that works on this machine.
 * Throws SandboxUnavailable when it isolates less than the profile demands.
 */
export async function chooseBackend(
  minimum: SandboxProfile["isolation_minimum"],
  strongest: () => Promise<SandboxBackend> = strongestBackend,
): Promise<SandboxBackend> {
  const backend = await strongest();
  if (minimum === "full" && backend.isolation !== "full") {
    throw new SandboxUnavailable(
      "the profile demands full isolation, and bubblewrap is missing or may not create namespaces here: " +
        "install bubblewrap, allow unprivileged user namespaces, or, for code you trust, choose a profile that accepts `reduced` (`trusted`)",
    );
  }
  return backend;
}

let strongest_backend: Promise<SandboxBackend> | undefined;

/** Probed once in each process by running a command: `bwrap` is often installed but may not create namespaces. */
export function strongestBackend(): Promise<SandboxBackend> {
  strongest_backend ??= probe(bubblewrapPaths());
  return strongest_backend;
}

export async function probe(files: readonly string[]): Promise<SandboxBackend> {
  for (const file of files) {
    for (const modern of [true, false]) {
      if (existsSync(file) && (await works({ file, modern }))) return bubblewrapBackend({ file, modern });
    }
  }
  return processBackend;
}

async function works(bubblewrap: Bubblewrap): Promise<boolean> {
  const backend = bubblewrapBackend(bubblewrap);
  const { signal } = new AbortController();
  try {
    const volume = await backend.open(PROBE_PROFILE);
    try {
      const order = { command: ":", ...volume, volume, profile: PROBE_PROFILE, signal, backend };
      return (await runCommand(order)).exit_code === 0;
    } finally {
      await volume.close();
    }
  } catch {
    return false;
  }
}

const PROBE_PROFILE: SandboxProfile = {
  wall_seconds: 10,
  cpu_seconds: 10,
  output_bytes_max: 1024,
  processes_max: 16,
  memory_bytes_max: 64 * 1024 * 1024,
  open_files_max: 64,
  file_bytes_max: 65_536,
  disk_bytes_max: 1024 * 1024,
  inodes_max: 100,
  isolation_minimum: "reduced",
  network: { mode: "none" },
  install_network: { mode: "none" },
  filesystem: { read_only: [], read_write: [], hidden: [] },
  environment: {},
};
