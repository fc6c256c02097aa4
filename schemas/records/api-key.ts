import { z } from "zod";
import { Instant, Sha256, Tenant } from "#schemas/primitives.ts";

/** What a caller may do. A key has the scopes it lists and no others: `admin` does not include `read`. */
export const Scope = z
  .enum(["submit", "read", "operate", "admin"])
  .describe(
    "`submit` work and cancel it, `read` tasks, artifacts and the code graph, `operate` the platform, `admin` keys and the audit trail",
  );
export type Scope = z.infer<typeof Scope>;

export const Scopes = z
  .array(Scope)
  .min(1)
  .max(Scope.options.length)
  .refine((scopes) => new Set(scopes).size === scopes.length, { message: "name each scope once" })
  .meta({ uniqueItems: true });

export const KeyId = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .describe("public name of a key");

/** Who did something: `key:<key id>`, `jwt:<sub>`, `local`, `aws:<user>` or `service:<name>`. */
export const Subject = z
  .string()
  .regex(/^[a-z]+(:[\x21-\x7e]{1,200})?$/)
  .describe("who: `key:<key id>`, `jwt:<sub>`, `local`, `aws:<user>`, `service:<name>`");

/** A key to the HTTP API: pk `KEY#<key_id>`, sk `KEY`. The secret itself is never stored. */
export const ApiKeyRecord = z.strictObject({
  key_id: KeyId,
  tenant: Tenant,
  name: z.string().min(1).max(100).describe("what it is for, in its maker's words"),
  scopes: Scopes,
  secret_hmac: Sha256.describe("HMAC-SHA-256 of key id and secret under the pepper, lower-case hex"),
  created_at: Instant,
  created_by: Subject,
  valid_until: Instant.optional().describe("it stops working then; absent: it does not expire"),
  replaced_by: KeyId.optional().describe("the key it was rotated to"),
  revoked_at: Instant.optional(),
  revoked_by: Subject.optional(),
  last_used_at: Instant.optional().describe("coarse: written once in `last_used_minutes` at most"),
  expires_at: z.int().optional().describe("Unix time in s after which the record is gone (DynamoDB TTL)"),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;
