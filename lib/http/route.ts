import type { z } from "zod";
import type { Access, Identity } from "#lib/http/auth/identity.ts";
import type { HttpPlatform } from "#lib/http/platform.ts";
import type { CodesByStatus } from "#lib/platform/errors/codes.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Span } from "#lib/platform/trace/span.ts";
import type { RoutePolicy } from "#schemas/config/route-policies.ts";

export interface ApiRequest<Body, Query> {
  tenant: string;
  /** Who asks; undefined on a public route. */
  identity: Identity | undefined;
  /** What the operator allows this tenant on this route. */
  policy: RoutePolicy;
  body: Body;
  query: Query;
  params: Record<string, string>;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Where it comes from, as API Gateway saw it. */
  source_ip: string;
  /** The request's span; it is kept with a task once that is told to its recorder. */
  trace: Span;
  log: Log;
  counters: Counters;
  platform: HttpPlatform;
  remainingMs(): number;
}

export interface ApiResponse {
  status: number;
  /** JSON unless it is a Buffer. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** One answer that is no error, as the API's description tells it. */
export interface Answer {
  says: string;
  /** Of the JSON body; without one the body is empty, or bytes of `media_type`. */
  schema?: z.ZodType;
  media_type?: string;
  /** Beyond those of every answer: name → what it tells. */
  headers?: Record<string, string>;
  /** Where the answer leads: route key → its path parameters, as OpenAPI runtime expressions. */
  links?: Record<string, Record<string, string>>;
}

/** What the API's description says of a route; schemas of body and query stand beside it. */
interface RouteDescription {
  /** What it does, in a few words. */
  summary: string;
  /** Anything a caller should know beyond that. */
  details?: string;
  /** By name in the path; a text where it has no schema. */
  params?: Record<string, z.ZodType>;
  /** Optional request headers that the route reads, by name in lower case. */
  headers?: Record<string, z.ZodType>;
  /** By status. */
  answers: Record<number, Answer>;
  /** Error codes of its own by status; those that its kind of route may answer come by themselves. */
  codes?: CodesByStatus;
  /** A body that works on a fresh stage. */
  example?: unknown;
}

type RouteDefinition<Body extends z.ZodType, Query extends z.ZodType> = Access &
  RouteDescription & {
    body?: Body;
    query?: Query;
    run(request: ApiRequest<z.output<Body>, z.output<Query>>): Promise<ApiResponse>;
  };

export type Route = RouteDefinition<z.ZodType, z.ZodType>;

/** By route key, for example `GET /api/tasks/{id}`. */
export type Routes = Record<string, Route>;

/** One route with its body and query types inferred from its schemas. */
export function route<Body extends z.ZodType, Query extends z.ZodType>(
  definition: RouteDefinition<Body, Query>,
): Route {
  return definition as unknown as Route;
}
