import type { Claims } from "#lib/resilience/idempotency/step-claims.ts";
import type { QueryInput } from "../dynamodb/query.ts";
import type { Key, WriteInput } from "../dynamodb/table.ts";

/** What a sender is told: the truth, always success, or success before anything happened. */
type Sending = "as it is" | "failures ignored" | "answered first" | "dropped";

/** One protection taken away, at the edge of the code under test: none of it is in production code. */
export interface Mutation {
  name: string;
  /** Rewrites a write on its way to the table. `null` answers success and writes nothing. */
  write?(input: WriteInput, key: Key): WriteInput | null;
  query?(input: QueryInput): QueryInput;
  sending?(queue: string): Sending;
  body?(body: string): string;
  uploads?: "failures ignored";
  claims?(claims: Claims): Claims;
  sweeper?: "off";
  /** Silent replay jobs are not sent again. */
  job_sweeper?: "off";
  layout?: "skipped" | "marked first";
  /** Every message of a batch is deleted, whatever the function answers. */
  acknowledge?: "always";
}

export const NO_MUTATION: Mutation = { name: "none" };
