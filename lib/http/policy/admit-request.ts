import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import { effectivePolicy } from "#lib/platform/config/route-policies.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { CountTableUse, RateDecision } from "#lib/resilience/rate-limit/bucket.ts";
import type { BucketKey, BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";
import { rateLimitHeaders } from "#lib/resilience/rate-limit/rate-limit-headers.ts";
import { localLimiter, rateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import type { RoutePoliciesConfig, RoutePolicy } from "#schemas/config/route-policies.ts";

interface AskedRequest {
  tenant: string;
  event: Pick<APIGatewayProxyEventV2, "routeKey" | "body" | "isBase64Encoded">;
  log: Log;
  counters: Counters;
}

export interface AdmittedRequest {
  policy: RoutePolicy;
  /** Headers to send with every response to this request. */
  headers: Record<string, string>;
}

/**
 * Lets a request through if the operator's policy opens the route to the tenant, its rate and its day
 * have room, and its body is not too large. Throws HttpError 403 ROUTE_CLOSED, 413 BODY_TOO_LARGE,
 * 429 RATE_LIMITED or QUOTA_SPENT, and 503 RATE_LIMIT_UNAVAILABLE where a route is to be closed while
 * the table does not answer.
 */
export async function admitRequest(
  request: AskedRequest,
  { requestGate: gate }: { requestGate?: RequestGate },
): Promise<AdmittedRequest> {
  const key = { tenant: request.tenant, route: request.event.routeKey };
  const policy = gate?.policyOf(key);
  if (!gate || !policy) throw new HttpError("ROUTE_CLOSED", `no policy opens ${key.route}`);
  if (!policy.enabled) {
    throw new HttpError("ROUTE_CLOSED", `${key.route} is closed to tenant ${key.tenant} by its policy`);
  }
  const headers = await withinLimits(key, policy, gate, request);
  checkBodySize(request.event, policy, headers);
  return { policy, headers };
}

/** Counts the request. Returns the rate-limit headers. Throws HttpError 429, 503. */
async function withinLimits(
  key: BucketKey,
  policy: RoutePolicy,
  gate: RequestGate,
  { log, counters }: AskedRequest,
): Promise<Record<string, string>> {
  const count: CountTableUse = (cost, reason) => {
    counters.count(cost, key.tenant);
    if (cost !== "rate_limit_outages") return;
    log.warn("RATE_LIMIT_OUTAGE", `requests cannot be counted in the table: ${String(reason)}`, {
      tenant: key.tenant,
      on_limiter_failure: policy.on_limiter_failure,
    });
  };
  const decision = await gate.take(key, policy, count);
  const headers = rateLimitHeaders(ruleOf(policy), decision);
  if (decision.kind === "admitted") return headers;
  if (decision.kind === "unknown") {
    const detail = `requests to ${key.route} cannot be counted at the moment; try again in 1 s`;
    throw new HttpError("RATE_LIMIT_UNAVAILABLE", detail, undefined, { ...headers, "retry-after": "1" });
  }
  counters.count("rate_limited", key.tenant);
  const again = `try again in ${decision.retry_after_seconds} s`;
  if (decision.reason === "day") {
    const detail = `the ${policy.requests_per_day_max} requests a day to ${key.route} are spent; the next day begins at 00:00 UTC: ${again}`;
    throw new HttpError("QUOTA_SPENT", detail, undefined, headers);
  }
  const detail = `${key.route} takes ${policy.requests_per_second} requests a second from one tenant, ${policy.burst_requests} at once after a pause: ${again}`;
  throw new HttpError("RATE_LIMITED", detail, undefined, headers);
}

function checkBodySize(
  { body, isBase64Encoded }: AskedRequest["event"],
  { body_bytes_max }: RoutePolicy,
  headers: Record<string, string>,
): void {
  const bytes = Buffer.byteLength(body ?? "", isBase64Encoded ? "base64" : "utf8");
  if (bytes <= body_bytes_max) return;
  const detail = `the body has ${bytes} bytes; ${body_bytes_max} is the limit of this route`;
  throw new HttpError("BODY_TOO_LARGE", detail, undefined, headers);
}

interface GatePorts {
  routePolicies(): Loaded<RoutePoliciesConfig>;
  stage: string;
  table: TableClient;
  table_name: string;
  runtime: Pick<Runtime, "now" | "sleep" | "random">;
}

/** The route policies and the rate limiter; one for a whole process. */
export interface RequestGate {
  /** The policy in force; undefined when no policy opens the route. */
  policyOf(key: BucketKey): RoutePolicy | undefined;
  /** Counts one request. `unknown` only where the policy says to be closed while the table does not answer. */
  take(key: BucketKey, policy: RoutePolicy, count: CountTableUse): Promise<RateDecision>;
}

export function requestGate({ routePolicies, stage, ...ports }: GatePorts): RequestGate {
  const limiter = rateLimiter(ports);
  const takeLocally = localLimiter(ports.runtime.now);
  return {
    policyOf: (key) => effectivePolicy(routePolicies().value, { stage, ...key }),
    async take(key, policy, count) {
      const rule = ruleOf(policy);
      const decision = await limiter.take(key, rule, count);
      const open = decision.kind === "unknown" && policy.on_limiter_failure === "open";
      return open ? takeLocally(key, rule) : decision;
    },
  };
}

/** The part of a policy that the rate limiter uses. */
function ruleOf(policy: RoutePolicy): BucketRule {
  const { requests_per_second, burst_requests, requests_per_day_max, shards } = policy;
  return { requests_per_second, burst_requests, requests_per_day_max, shards };
}
