import { z } from "zod";
import { Instant, ONE_LINE, SAYS_SOMETHING } from "#schemas/primitives.ts";
import { CircuitState, CircuitTransition, ForcedCircuit } from "#schemas/records/circuit.ts";

/** One circuit as all environments share it. */
export const CircuitView = z.strictObject({
  key: z.string().describe("service.role.dependency, and the tenant or shard where each has its own"),
  state: CircuitState.describe("by counting; `forced` goes before it"),
  since: Instant.nullable().describe("time of the last transition; null when there was none"),
  generation: z.int().min(0),
  window: z
    .strictObject({
      seconds: z.int().min(1),
      calls: z.int().min(0),
      failures: z.int().min(0),
      slow: z.int().min(0),
      damped: z.int().min(0).describe("calls not let through while closed"),
      retries: z.int().min(0).describe("calls that were retries"),
    })
    .describe("as environments have told so far: each tells once a window, and sooner in trouble"),
  admitted_share: z.number().min(0).max(1).describe("of all calls, while closed; tenants share it fairly"),
  next_probe_at: Instant.nullable().describe("while open"),
  probe_until: Instant.nullable().describe("end of the lease of the probe under way"),
  opens: z.int().min(0).describe("times it opened in a row"),
  forced: ForcedCircuit.nullable(),
  trail: z.array(CircuitTransition).describe("the last transitions, oldest first"),
});
export type CircuitView = z.infer<typeof CircuitView>;

/** Answer of `GET /api/circuits`: every circuit that was called through in the last 30 days. */
export const Circuits = z.strictObject({
  policy_hash: z.string().describe("of configs/circuit_breaker.json, as the gateway sees it"),
  circuits: z.array(CircuitView).max(500),
});
export type Circuits = z.infer<typeof Circuits>;

/** Body of `POST /api/circuits/{key}`. */
export const CircuitCommand = z.strictObject({
  action: z
    .enum(["force_open", "force_closed", "reset"])
    .describe("`force_…` goes before all counting; `reset` ends it and makes the circuit forget"),
  why: z
    .string()
    .max(300)
    .regex(SAYS_SOMETHING)
    .regex(ONE_LINE, "no control character")
    .describe("for the trail, the log, and whoever asks later"),
  for_seconds: z.int().min(1).max(604_800).optional().describe("when a force ends by itself; absent: never"),
});
export type CircuitCommand = z.infer<typeof CircuitCommand>;
