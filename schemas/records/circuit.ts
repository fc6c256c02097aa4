import { z } from "zod";
import { ErrorCode, Instant } from "#schemas/primitives.ts";

export const CircuitState = z.enum(["closed", "open", "half_open"]);
export type CircuitState = z.infer<typeof CircuitState>;

export const CircuitEvent = z.enum([
  "opened",
  "half_opened",
  "closed",
  "forced_open",
  "forced_closed",
  "reset",
]);
export type CircuitEvent = z.infer<typeof CircuitEvent>;

/** One transition, and the policy it was decided by. */
export const CircuitTransition = z.strictObject({
  event: CircuitEvent,
  at: Instant,
  code: ErrorCode.describe("why, for a program"),
  why: z.string().max(500),
  generation: z.int().min(1).describe("of the state it led to"),
  policy_hash: z.string().describe("hash of configs/circuit_breaker.json as it was in force"),
});
export type CircuitTransition = z.infer<typeof CircuitTransition>;

/** An operator's force, which takes precedence over the state. */
export const ForcedCircuit = z.strictObject({
  state: z.enum(["open", "closed"]),
  by: z.string().max(128).describe("id of the API key"),
  at: Instant,
  why: z.string().max(500),
  until: Instant.nullable().describe("when it ends by itself; null for never"),
});
export type ForcedCircuit = z.infer<typeof ForcedCircuit>;

/**
 * One circuit as all environments share it: pk `CIRCUITS`, sk its key. Transitions are writes conditional on
 * `generation`. Beside these fields the item has a number for each count of each slice of the window:
 * `<start of the slice, Unix ms>|<count>`, to which every environment adds.
 */
export const CircuitRecord = z.strictObject({
  key: z.string().min(5).max(300),
  tenant: z.string().optional().describe("the tenant whose circuit it is; absent when all tenants share it"),
  state: CircuitState,
  generation: z.int().min(0).describe("fencing token: grows with every transition"),
  writer: z.string().describe("id of the write that made the last transition"),
  streak: z.int().min(0).describe("failures in a row, in the order in which environments shared them"),
  opens: z.int().min(0).describe("openings in the present outage; the open time doubles with each"),
  counted_from: z.int().min(0).describe("Unix time in ms; calls before it belong to an earlier state"),
  outage_began_at: z.int().optional().describe("Unix time in ms of the first of these openings"),
  next_probe_at: z.int().optional().describe("Unix time in ms; while open"),
  probe_owner: z.string().optional().describe("the call that is the probe, while half open"),
  probe_until: z.int().optional().describe("Unix time in ms at which the probe's lease ends"),
  probes_passed: z.int().min(0),
  closed_at: z.int().optional().describe("Unix time in ms of the last closing"),
  recovering_until: z.int().optional().describe("Unix time in ms until which calls may be held back"),
  well_per_second: z
    .number()
    .min(0)
    .optional()
    .describe("calls a second that asked for admission, last measured while healthy"),
  well_in_flight: z
    .number()
    .min(0)
    .optional()
    .describe("calls in flight at a time, measured together with it"),
  steady_per_second: z.number().min(0).describe("calls a second before the outage"),
  steady_in_flight: z.number().min(0).optional().describe("calls in flight at a time before the outage"),
  forced: ForcedCircuit.optional(),
  trail: z.array(CircuitTransition).max(10).describe("the last transitions, oldest first"),
  expires_at: z.int().describe("Unix time in s from when the record may be deleted (DynamoDB TTL)"),
});
export type CircuitRecord = z.infer<typeof CircuitRecord>;
