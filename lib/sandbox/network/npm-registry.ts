import { z } from "zod";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";

const TIMEOUT_MS = 20_000;

/** Where npm fetches packages. */
export interface NpmRegistry {
  url: URL;
  /** Absolute path of the certificates it trusts instead of Node's own; null without one. */
  certificates: string | null;
}

let registry: Promise<NpmRegistry> | undefined;

/**
 * The registry the worker's own npm is configured with, asked once a process.
 * Throws SandboxUnavailable without npm, or when the registry does without TLS.
 */
export async function npmRegistry(): Promise<NpmRegistry> {
  registry ??= askNpm();
  return registry.catch((error: unknown) => {
    registry = undefined; // it may have been a passing fault
    throw error;
  });
}

async function askNpm(): Promise<NpmRegistry> {
  const found = await configured().catch((cause: unknown) => {
    throw new SandboxUnavailable(
      "the profile lets npm's registry through, and npm could not be asked for it",
      {
        cause,
      },
    );
  });
  const url = URL.canParse(found.registry) ? new URL(found.registry) : null;
  if (url?.protocol === "https:") return { url, certificates: found.cafile };
  throw new SandboxUnavailable(
    "the profile lets npm's registry through, and npm is configured with one that does without TLS",
  );
}

const Configured = z.object({ registry: z.string(), cafile: z.string().nullable().default(null) });

async function configured() {
  const options = { cwd: "/", timeout_ms: TIMEOUT_MS };
  const { stdout } = await runProgram("npm", ["config", "list", "--json"], options);
  return Configured.parse(JSON.parse(stdout));
}
