import type { CredentialPlatform } from "#lib/http/auth/verify-credential.ts";
import { type RequestGate, requestGate } from "#lib/http/policy/admit-request.ts";
import { config } from "#lib/platform/config/config.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import type { InvocationPorts } from "#lib/platform/lambda/invocation.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { awsGuard } from "#lib/resilience/circuit/aws-guard.ts";
import type { DependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";

/** Everything a function with HTTP routes takes from its surroundings; a simulation gives its own. */
export interface HttpPlatform extends InvocationPorts, SendPorts, CredentialPlatform {
  settings: Settings;
  /** How long records and objects are kept. */
  artifacts(): Loaded<ArtifactsConfig>;
  /** Stands before every dependency a route calls; without one every call is let through. */
  guard?: DependencyGuard;
  deadLetterQueueUrl(service: string): string;
  /** The operator's policy and rate limits of each route; without it every route is closed. */
  requestGate?: RequestGate;
}

let shared: HttpPlatform | undefined;

/** The platform of HTTP functions on AWS, LocalStack and the embedded stack; one for each process. */
export function awsHttpPlatform(): HttpPlatform {
  if (shared) return shared;
  const ports = awsPorts();
  const { table, settings, runtime } = ports;
  const { stage, table_name } = settings;
  shared = {
    ...ports,
    authentication: config.authentication,
    guard: awsGuard(),
    requestGate: requestGate({
      routePolicies: config.routePolicies,
      stage,
      table,
      table_name,
      runtime,
    }),
  };
  return shared;
}
