import { z } from "zod";
import { Instant, Tenant } from "#schemas/primitives.ts";
import { Scopes, Subject } from "#schemas/records/api-key.ts";

/** Answer of `GET /api/identity`. */
export const IdentityView = z.strictObject({
  tenant: Tenant,
  subject: Subject,
  scopes: Scopes,
  valid_until: Instant.nullable().describe("when the credential expires; null: it does not"),
});
export type IdentityView = z.infer<typeof IdentityView>;
