import type { Claims } from "#lib/idempotency/claims.ts";
import type { WriteInput } from "../dynamodb/table.ts";

/** One protection taken away, at the edge of the code under test: none of it is in production code. */
export interface Mutation {
  name: string;
  /** Rewrites a write on its way to the table. `null` answers success and writes nothing. */
  write?(input: WriteInput & { pk: string; sk: string }): WriteInput | null;
  /** How a send to SQS is answered: as it is, with success whatever happened, or before it happens. */
  sends?: "as is" | "ignore failures" | "answer first";
  /** How an upload to S3 is answered. */
  uploads?: "as is" | "ignore failures";
  claims?(claims: Claims): Claims;
  sweeper?: "off";
  layout?: "skipped";
  /** Every message of a batch is deleted, whatever the function answers. */
  acknowledge?: "always";
}

export const NO_MUTATION: Mutation = { name: "none" };
