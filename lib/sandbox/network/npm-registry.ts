import { z } from "zod";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";

const TIMEOUT_MS = 20_000;

/** The registry from which npm fetches packages. */
export interface NpmRegistry {
  url: URL;
  /** Absolute path of the certificates it trusts instead of Node's own; null without one. */
  certificates: string | null;
}

let registry: Promise<NpmRegistry> | undefined;

/**
 * The registry that the worker's own npm is configured with, read once in each process.
 * Throws SandboxUnavailable without npm, or when the registry does not use TLS.
 */
export async function npmRegistry(): Promise<NpmRegistry> {
  registry ??= askNpm();
  return registry.catch((error: unknown) => {
    registry = undefined; // the fault may be temporary
    throw error;
  });
}

async function askNpm(): Promise<NpmRegistry> {
  const found = await configured().catch((cause: unknown) => {
    throw new SandboxUnavailable(
      "the profile allows npm's registry, but npm did not say which registry it uses",
      {
        cause,
      },
    );
  });
  const url = URL.canParse(found.registry) ? new URL(found.registry) : null;
  if (url?.protocol === "https:") return { url, certificates: found.cafile };
  throw new SandboxUnavailable(
    "the profile allows npm's registry, but npm is configured with a registry without TLS",
  );
}

const Configured = z.object({ registry: z.string(), cafile: z.string().nullable().default(null) });

async function configured() {
  const options = { cwd: "/", timeout_ms: TIMEOUT_MS };
  const { stdout } = await runProgram("npm", ["config", "list", "--json"], options);
  return Configured.parse(JSON.parse(stdout));
}
