import type { Platform } from "#lib/agents/agent/platform.ts";
import type { CredentialPorts } from "#lib/http/auth/verify-credential.ts";
import type { Log } from "#lib/platform/log/log.ts";

/** What checking credentials takes from a function's surroundings. */
export function credentialPorts(
  { table, settings, runtime, authentication }: CredentialPlatform,
  log: Log,
): CredentialPorts {
  if (!authentication || !settings.api_key_pepper) {
    throw new Error(
      "API_KEY_PEPPER is not set for this function: serverless.yml gives it to every function with routes",
    );
  }
  return {
    table,
    table_name: settings.table_name,
    runtime,
    pepper: settings.api_key_pepper,
    policy: authentication().value,
    log,
  };
}

export type CredentialPlatform = Pick<Platform, "table" | "settings" | "runtime" | "authentication">;
