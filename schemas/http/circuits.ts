import { z } from "zod";
import { Instant, ONE_LINE, SAYS_SOMETHING } from "#schemas/primitives.ts";
import { CircuitState, CircuitTransition, ForcedCircuit } from "#schemas/records/circuit.ts";

/** One circuit as all environments share it. */
export const CircuitView = z.strictObject({
  key: z
    .string()
    .describe(
      "service.role.dependency, with @endpoint where the dependency has several, and the tenant or shard where each has its own",
    ),
  state: CircuitState.describe("by the calls counted; `forced` takes precedence over it"),
  since: Instant.nullable().describe("time of the last transition; null when there was none"),
  generation: z.int().min(0),
  window: z
    .strictObject({
      seconds: z.int().min(1),
      calls: z.int().min(0),
      failures: z.int().min(0),
      slow: z.int().min(0),
      damped: z.int().min(0).describe("calls refused while closed"),
      retries: z.int().min(0).describe("calls that were retries"),
    })
    .describe("as far as environments have shared their counts: once a window, once a second in trouble"),
  admitted_share: z
    .number()
    .min(0)
    .max(1)
    .describe("share of all calls that is admitted, while closed; fairly among tenants"),
  next_probe_at: Instant.nullable().describe("while open"),
  probe_until: Instant.nullable().describe("end of the lease of the running probe"),
  opens: z.int().min(0).describe("openings in the present outage"),
  forced: ForcedCircuit.nullable(),
  trail: z.array(CircuitTransition).describe("the last transitions, oldest first"),
});
export type CircuitView = z.infer<typeof CircuitView>;

/** Answer of `GET /api/circuits`: every circuit used in the last 30 days. */
export const Circuits = z.strictObject({
  policy_hash: z.string().describe("of configs/circuit_breaker.json, as the gateway sees it"),
  circuits: z.array(CircuitView).max(500),
});
export type Circuits = z.infer<typeof Circuits>;

/** Body of `POST /api/circuits/{key}`. */
export const CircuitCommand = z.strictObject({
  action: z
    .enum(["force_open", "force_closed", "reset"])
    .describe(
      "`force_…` takes precedence over the state; `reset` ends a force, closes the circuit and clears its counts",
    ),
  why: z
    .string()
    .max(300)
    .regex(SAYS_SOMETHING, "must have something besides blanks")
    .regex(ONE_LINE, "must have no control character")
    .describe("the reason, for the trail and the log"),
  for_seconds: z
    .int()
    .min(1)
    .max(604_800)
    .optional()
    .describe("after which a force ends by itself; absent: never"),
});
export type CircuitCommand = z.infer<typeof CircuitCommand>;
