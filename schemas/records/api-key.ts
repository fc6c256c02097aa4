import { z } from "zod";
import { Instant, Sha256, Tenant } from "#schemas/primitives.ts";

/** A key to the HTTP API: pk `KEY#<key_id>`, sk `KEY`. The secret itself is never stored. */
export const ApiKeyRecord = z.strictObject({
  key_id: z.string().regex(/^[a-z0-9]{8,32}$/),
  tenant: Tenant,
  secret_hash: Sha256,
  created_at: Instant,
  revoked_at: Instant.optional(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;
