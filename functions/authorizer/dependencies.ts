import { credentialPorts, verifyCredential } from "#lib/http/auth/verify-credential.ts";
import { awsHttpPlatform } from "#lib/http/platform.ts";
import type { AuthorizerPorts } from "./decide.ts";

/** What `decide` runs on, on every stage. */
export function dependencies(): AuthorizerPorts {
  const platform = awsHttpPlatform();
  const log = platform.logOf("authorizer");
  return { log, verify: (authorization) => verifyCredential(authorization, credentialPorts(platform, log)) };
}
