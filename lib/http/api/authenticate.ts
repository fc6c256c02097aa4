import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { ApiMiddleware } from "#lib/http/api/api-call.ts";
import { FailedAttempts } from "#lib/http/auth/failed-attempts.ts";
import {
  authorize,
  type CredentialCheck,
  fromEdgeContext,
  type Identity,
  LOCAL_IDENTITY,
  requiredScope,
} from "#lib/http/auth/identity.ts";
import { isPast } from "#lib/http/auth/verify-api-key.ts";
import {
  type CredentialPlatform,
  credentialPorts,
  verifyCredential,
} from "#lib/http/auth/verify-credential.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { hasEdge } from "#lib/platform/settings/environment.ts";

/**
 * Finds out who sends the request to a route that is not public, and that the caller has the route's scope:
 * the policy's, where it names one. Throws HttpError 401, 403, 429 or 503.
 */
export function authenticateCaller(): ApiMiddleware {
  return {
    before: async ({ event: call }) => {
      const { route, event, headers, platform, log } = call;
      if (!route || route.access === "public") return;
      const identity = await authenticate(route.access, event, headers, platform, log);
      const { tenant } = identity;
      Object.assign(call, { identity, tenant });
      const policy = platform.requestGate?.policyOf({ tenant, route: event.routeKey });
      authorize(identity, policy?.scope ?? requiredScope(route));
    },
  };
}

/** By table: a process has one. */
const attempts = new WeakMap<object, FailedAttempts>();

/**
 * Who a request comes from. Throws HttpError 401 `UNAUTHENTICATED`, the same for every credential that
 * is not in force, and 429 `ATTEMPTS_EXCEEDED` instead of it from an address that failed too often. A
 * good credential always passes: nobody can lock others out from behind the same address.
 */
async function authenticate(
  access: "key" | "key-or-local",
  event: APIGatewayProxyEventV2,
  headers: Record<string, string>,
  platform: CredentialPlatform,
  log: Log,
): Promise<Identity> {
  const { authorization } = headers;
  const { stage } = platform.settings;
  if (authorization === undefined) {
    if (access === "key-or-local" && stage === "local" && isFromLoopback(event, headers)) {
      return LOCAL_IDENTITY;
    }
    throw unauthenticated(false);
  }
  const verdict = await verdictOn(authorization, event, platform, log);
  if ("identity" in verdict && !isPast(verdict.identity.valid_until, platform.runtime.now())) {
    return verdict.identity;
  }
  const reason = "refused" in verdict ? verdict.refused : `expired ${verdict.identity.subject}`;
  throw await failure(reason, event, platform, log);
}

interface EdgeRequestContext {
  authorizer?: { lambda?: unknown };
}

/**
 * The authorizer's, where API Gateway asked it and it could tell; otherwise our own. On a stage
 * without an edge nobody stands before us, and serverless-offline lets a caller write this context himself.
 */
async function verdictOn(
  authorization: string,
  event: APIGatewayProxyEventV2,
  platform: CredentialPlatform,
  log: Log,
): Promise<CredentialCheck> {
  const { authorizer } = event.requestContext as EdgeRequestContext;
  const edge = hasEdge(platform.settings.stage) ? fromEdgeContext(authorizer?.lambda) : undefined;
  return edge ?? verifyCredential(authorization, credentialPorts(platform, log));
}

async function failure(
  reason: string,
  event: APIGatewayProxyEventV2,
  platform: CredentialPlatform,
  log: Log,
): Promise<HttpError> {
  const { table, policy, runtime, table_name } = credentialPorts(platform, log);
  const counter = attempts.get(table) ?? new FailedAttempts({ table, table_name, runtime });
  attempts.set(table, counter);
  const source_ip = event.requestContext.http.sourceIp;
  const { failures, exceeded, newly_exceeded, retry_after_seconds } = await counter.count(source_ip, policy);
  if (!exceeded) {
    log.warn("AUTHENTICATION_FAILED", "a credential was refused", { reason, source_ip, failures });
    return unauthenticated(true);
  }
  if (newly_exceeded) {
    log.error("ATTEMPTS_EXCEEDED", "an address failed too often; no more of its failures are logged", {
      source_ip,
      failures,
      retry_after_seconds,
    });
  }
  return new HttpError(
    "ATTEMPTS_EXCEEDED",
    `too many credentials from this address were refused; wait ${retry_after_seconds} s, and check the key you send`,
    undefined,
    { "retry-after": String(retry_after_seconds) },
  );
}

/** RFC 9110, section 11.6.1; RFC 6750, section 3: no error code when no credential was sent. */
function unauthenticated(sent: boolean): HttpError {
  return new HttpError(
    "UNAUTHENTICATED",
    "send a valid API key or token as authorization: Bearer <key>",
    undefined,
    { "www-authenticate": `Bearer realm="distributed-agents"${sent ? ', error="invalid_token"' : ""}` },
  );
}

const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;
const LOOPBACK_ADDRESS = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
/** Somebody further away stands behind a proxy or tunnel on this machine. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** Source and Host: a page elsewhere that rebinds its name to loopback still sends its own Host. */
function isFromLoopback(event: APIGatewayProxyEventV2, headers: Record<string, string>): boolean {
  return (
    LOOPBACK_ADDRESS.test(event.requestContext.http.sourceIp) &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    FORWARDED.every((name) => headers[name] === undefined)
  );
}
