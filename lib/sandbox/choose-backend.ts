import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Bubblewrap, bubblewrapBackend } from "#lib/sandbox/bubblewrap-backend.ts";
import { processBackend } from "#lib/sandbox/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

const BUBBLEWRAP_FILES = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

/**
 * The strongest backend that works here.
 * Throws SandboxUnavailable when even that is less than the profile demands.
 */
export async function chooseBackend(
  minimum: SandboxProfile["isolation_minimum"],
  strongest: () => Promise<SandboxBackend> = strongestBackend,
): Promise<SandboxBackend> {
  const backend = await strongest();
  if (minimum === "full" && backend.isolation !== "full") {
    throw new SandboxUnavailable(
      "the profile demands full isolation, and bubblewrap is missing or may not create namespaces here: " +
        "install bubblewrap, allow unprivileged user namespaces, or choose a profile that accepts `reduced`",
    );
  }
  return backend;
}

let strongest_backend: Promise<SandboxBackend> | undefined;

/** Probed once a process, by running something: `bwrap` is often installed and not allowed. */
export function strongestBackend(): Promise<SandboxBackend> {
  strongest_backend ??= probe(BUBBLEWRAP_FILES);
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
  const scratch = await mkdtemp(join(tmpdir(), "sandbox-probe-"));
  try {
    const { args, environment } = await bubblewrapBackend(bubblewrap).launch({
      command: ":",
      tree: scratch,
      scratch,
      profile: PROBE_PROFILE,
    });
    const program = args.slice(0, args.indexOf("--"));
    await promisify(execFile)(bubblewrap.file, [...program, "--", "/bin/sh", "-c", ":"], {
      env: environment,
      timeout: 10_000,
    });
    return true;
  } catch {
    return false;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const PROBE_PROFILE: SandboxProfile = {
  wall_seconds: 10,
  cpu_seconds: 10,
  output_bytes_max: 1024,
  processes_max: 16,
  memory_bytes_max: 64 * 1024 * 1024,
  isolation_minimum: "reduced",
  environment: {},
};
