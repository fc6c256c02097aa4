import { awsPlatform } from "#lib/agents/agent/platform.ts";
import { credentialPorts } from "#lib/http/auth/credential-ports.ts";
import { verifyCredential } from "#lib/http/auth/verify-credential.ts";
import type { AuthorizerPorts } from "./decide.ts";

/** What `decide` runs on, on every stage. */
export function dependencies(): AuthorizerPorts {
  const platform = awsPlatform();
  const log = platform.logOf("authorizer");
  return { log, verify: (authorization) => verifyCredential(authorization, credentialPorts(platform, log)) };
}
