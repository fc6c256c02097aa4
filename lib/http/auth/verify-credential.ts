import type { CredentialCheck } from "#lib/http/auth/identity.ts";
import type { KeyPorts } from "#lib/http/auth/key-store.ts";
import { verifyApiKey } from "#lib/http/auth/verify-api-key.ts";
import { verifyJwt } from "#lib/http/auth/verify-jwt.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { AuthenticationConfig } from "#schemas/config/authentication.ts";

export interface CredentialPorts extends KeyPorts {
  policy: AuthenticationConfig;
  log: Log;
}

/** What checking credentials takes from a function's surroundings. */
export interface CredentialPlatform {
  table: TableClient;
  runtime: Runtime;
  settings: Pick<Settings, "stage" | "table_name" | "api_key_pepper">;
  /** `configs/authentication.json`; absent in a function that checks no credentials. */
  authentication?(): Loaded<AuthenticationConfig>;
}

/** The ports of `verifyCredential`. Throws an Error in a function that was deployed without a pepper. */
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

const CREDENTIAL_CHARACTERS_MAX = 10_000;
/** RFC 6750, section 2.1: `Bearer` in any case, one blank or more, the token. */
const BEARER = /^bearer +([\x21-\x7e]+)$/i;

/**
 * What an Authorization header proves, by nothing but itself: the same header has the same verdict
 * wherever it is sent, which is what makes the verdict safe to cache by it.
 *
 * @throws HttpError 503 `ISSUER_UNAVAILABLE`
 */
export async function verifyCredential(
  authorization: string,
  ports: CredentialPorts,
): Promise<CredentialCheck> {
  if (authorization.length > CREDENTIAL_CHARACTERS_MAX) return { refused: "overlong header" };
  const [, presented] = BEARER.exec(authorization.trim()) ?? [];
  if (!presented) return { refused: "no bearer credential" };
  if (presented.startsWith("dak_")) {
    return verifyApiKey(presented, { ...ports, last_used_minutes: ports.policy.last_used_minutes });
  }
  return verifyJwt(presented, ports.policy.jwt_issuers, ports.runtime.now());
}
