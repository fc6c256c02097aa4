import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { Identity } from "#lib/http/auth/identity.ts";
import type { HttpPlatform } from "#lib/http/platform.ts";
import type { AdmittedRequest } from "#lib/http/policy/admit-request.ts";
import type { Route } from "#lib/http/route.ts";
import { beginInvocation, type Invocation, type LambdaContext } from "#lib/platform/lambda/invocation.ts";
import type { Span } from "#lib/platform/trace/span.ts";

/** One HTTP request on its way through the stack of `defineApi`; each middleware adds what it found out. */
export interface ApiCall extends Invocation<HttpPlatform> {
  event: APIGatewayProxyEventV2;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Unix ms. */
  started_ms: number;
  /** `unknown` until the caller is authenticated, and on public routes. */
  tenant: string;
  /** Set by `traceRequest`. */
  trace?: Span;
  /** Set by `findRoute`; absent where no route takes the request. */
  route?: Route | undefined;
  /** Set by `authenticateCaller`; absent on public routes. */
  identity?: Identity;
  /** Set by `applyPolicy`. */
  admission?: AdmittedRequest;
  /** Set by `parseRequest`. */
  parsed?: { body: unknown; query: unknown };
}

export type ApiAnswer = APIGatewayProxyStructuredResultV2;
export type ApiMiddleware = MiddlewareObj<ApiCall, ApiAnswer>;

/** What is known of a request before the first middleware. */
export function beginCall(
  service: string,
  event: APIGatewayProxyEventV2,
  lambda: LambdaContext,
  platform: HttpPlatform,
): ApiCall {
  return {
    ...beginInvocation(service, lambda, platform),
    event,
    headers: lowerCaseNames(event.headers),
    started_ms: platform.runtime.now(),
    tenant: "unknown",
  };
}

/** What a middleware further out has added. Throws an Error where a stack lacks that middleware. */
export function added<Value>(value: Value | undefined, by: string): Value {
  if (value === undefined) throw new Error(`the stack lacks ${by}`);
  return value;
}

function lowerCaseNames(headers: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}
