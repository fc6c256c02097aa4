import { z } from "zod";

/** As API Gateway writes a route key: method, a space, path. */
const RouteKey = z.string().regex(/^(GET|POST|PUT|PATCH|DELETE) \/[A-Za-z0-9/{}+._-]*$/);
const TenantKey = z.string().regex(/^[a-z0-9][a-z0-9-]{0,38}$/);
const Stage = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);
const Origin = z.string().regex(/^https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/);
const Name = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/);

/** Everything that may be said of a route. */
export const RoutePolicy = z.strictObject({
  enabled: z.boolean().describe("false: the route answers 403 ROUTE_CLOSED"),
  scope: z
    .enum(["submit", "read", "operate", "admin"])
    .optional()
    .describe("what a key must be allowed to, instead of what the code asks for"),
  requests_per_second: z
    .number()
    .min(0.001)
    .max(100_000)
    .describe("requests a second that one tenant may make in the long run"),
  burst_requests: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe("requests it may make at once after a pause; the bucket's size"),
  requests_per_day_max: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .nullable()
    .describe("requests in one day in UTC; null: any number"),
  shards: z
    .int()
    .min(1)
    .max(8)
    .describe("items the bucket is divided over; more than 1 only beyond 500 environments at once"),
  on_limiter_failure: z
    .enum(["open", "closed"])
    .describe(
      "when the table does not answer: `open` lets each environment admit the whole rate, `closed` answers 503",
    ),
  body_bytes_max: z.int().min(0).max(10_485_760).describe("size of a request's body in bytes"),
  cors_origins: z
    .array(Origin)
    .max(20)
    .optional()
    .describe(
      "origins whose pages may call this route from a browser, the same for all tenants; absent: none",
    ),
  workflows: z
    .array(Name)
    .nullable()
    .describe("names in workflows.json that may be submitted; null: all of them"),
  profiles: z
    .array(Name)
    .nullable()
    .describe("names in sandbox_limits.json that may be asked for; null: all of them"),
});
export type RoutePolicy = z.infer<typeof RoutePolicy>;

const Change = RoutePolicy.partial();
const Routes = z.record(RouteKey, Change);
const Tenants = z.record(
  TenantKey,
  z.strictObject({
    every_route: Change.describe("for all routes of this tenant").optional(),
    routes: Routes.describe("for one route of this tenant").optional(),
  }),
);

/** `configs/route_policies.json`: who may ask for what, and how often. A route not named here is closed. */
export const RoutePoliciesConfig = z.strictObject({
  $schema: z.string(),
  defaults: RoutePolicy.describe("what holds where nothing else is said"),
  routes: Routes.describe("the routes that are open, by method and path, and what differs there"),
  tenants: Tenants.describe("what differs for one tenant"),
  stages: z
    .record(
      Stage,
      z.strictObject({
        defaults: Change.describe("instead of the defaults above").optional(),
        routes: Routes.describe("on top of the routes above").optional(),
        tenants: Tenants.describe("on top of the tenants above").optional(),
      }),
    )
    .describe("what differs on one stage; it wins over what stands above at the same level"),
});
export type RoutePoliciesConfig = z.infer<typeof RoutePoliciesConfig>;
