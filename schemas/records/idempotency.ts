import { z } from "zod";
import { ErrorCode, Instant, Sha256 } from "#schemas/primitives.ts";

/**
 * Work that is done once for its key: pk `IDEMPOTENCY#<namespace>#<key>`, sk `IDEMPOTENCY`. Only the holder of
 * `owner` and `fence` may change it, and only `completed` has a response.
 */
export const IdempotencyRecord = z.strictObject({
  status: z.enum(["running", "waiting", "completed"]),
  source_hash: Sha256.describe("hash of what decides the result; the same key with another one is refused"),
  owner: z.string().min(1).describe("the call that holds or held the lease"),
  fence: z.int().min(1).describe("fencing token: grows with every claim"),
  attempts: z.int().min(0).describe("claims since the record was made"),
  lease_expires_at: z.int().describe("Unix time in ms after which the claim may be taken over"),
  retry_at: z.int().describe("Unix time in ms before which it is not tried again").optional(),
  last_error: z
    .strictObject({ code: ErrorCode, message: z.string(), at: Instant })
    .describe("why the last attempt did not complete")
    .optional(),
  response_text: z
    .string()
    .describe("what the work returned, as JSON; absent when it returned nothing")
    .optional(),
  response_refused: z
    .strictObject({ code: ErrorCode, message: z.string() })
    .describe("the work was done, and its response could not be kept for duplicates")
    .optional(),
  started_at: Instant,
  ended_at: Instant.optional(),
  expires_at: z.int().describe("Unix time in seconds from when the record counts as absent (DynamoDB TTL)"),
});
export type IdempotencyRecord = z.infer<typeof IdempotencyRecord>;
