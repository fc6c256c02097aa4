import type { APIGatewayRequestAuthorizerEventV2 } from "aws-lambda";
import type { CredentialCheck } from "#lib/http/auth/identity.ts";
import { toEdgeContext } from "#lib/http/auth/identity.ts";
import type { Log } from "#lib/platform/log/log.ts";

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html, format 2.0 */
export interface Decision {
  isAuthorized: boolean;
  context: Record<string, string>;
}

export interface AuthorizerPorts {
  verify(authorization: string): Promise<CredentialCheck>;
  log: Log;
}

/**
 * What the first identity source, the Authorization header, proves. Nothing else of the event has a
 * say, so API Gateway may cache the answer by it for all routes. A refusal is let through with its
 * verdict, for the function behind says it in our words: 401, code, trace id, as on every stage. What
 * cannot be judged just now is let through without a verdict, and the function judges for itself.
 */
export async function decide(
  event: Pick<APIGatewayRequestAuthorizerEventV2, "identitySource">,
  { verify, log }: AuthorizerPorts,
): Promise<Decision> {
  const [authorization] = event.identitySource ?? [];
  if (typeof authorization !== "string") return { isAuthorized: false, context: {} };
  try {
    return { isAuthorized: true, context: toEdgeContext(await verify(authorization)) };
  } catch (error) {
    log.warn("AUTHORIZER_UNDECIDED", "a credential could not be judged; the function behind judges it", {
      reason: String(error),
    });
    return { isAuthorized: true, context: {} };
  }
}
