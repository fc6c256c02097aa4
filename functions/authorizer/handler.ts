import type { APIGatewayRequestAuthorizerEventV2 } from "aws-lambda";
import { config } from "#lib/platform/config/config.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { type Decision, decide } from "./decide.ts";
import { dependencies } from "./dependencies.ts";

/** API Gateway's authorizer for every route of a deployed stage, with simple responses. */
export async function handler(event: APIGatewayRequestAuthorizerEventV2): Promise<Decision> {
  const ports = dependencies();
  const following = await config.follow(ports.log);
  try {
    return await decide(event, ports);
  } finally {
    following.stop(makeCounters());
  }
}
