import { z } from "zod";
import { Instant, ONE_LINE, SAYS_SOMETHING, Tenant } from "#schemas/primitives.ts";
import { KeyId, Scopes, Subject } from "#schemas/records/api-key.ts";

/** Body of `POST /api/keys`. */
export const KeyRequest = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(SAYS_SOMETHING, "must have something besides blanks")
    .regex(ONE_LINE, "must have no control character")
    .describe("what the key is for"),
  scopes: Scopes,
  expires_in_days: z
    .int()
    .min(1)
    .max(3650)
    .optional()
    .describe("days until it stops working; default and highest: configs/authentication.json"),
});
export type KeyRequest = z.infer<typeof KeyRequest>;

/** A key as the API shows it: everything but its secret. */
export const KeyView = z.strictObject({
  key_id: KeyId,
  tenant: Tenant,
  name: z.string(),
  scopes: Scopes,
  state: z
    .enum(["active", "rotated", "expired", "revoked"])
    .describe("`rotated`: works until valid_until, its successor is replaced_by"),
  created_at: Instant,
  created_by: Subject,
  valid_until: Instant.nullable(),
  replaced_by: KeyId.nullable(),
  revoked_at: Instant.nullable(),
  last_used_at: Instant.nullable().describe("coarse, see last_used_minutes in configs/authentication.json"),
});
export type KeyView = z.infer<typeof KeyView>;

/** Answer of `POST /api/keys` and of `POST /api/keys/{id}/rotate`: the only time the key is shown. */
export const NewKey = KeyView.extend({
  key: z.string().describe("send it as authorization: Bearer <key>; it cannot be shown again"),
  replaces: KeyId.nullable().describe("the key that was rotated"),
});
export type NewKey = z.infer<typeof NewKey>;

/** Answer of `GET /api/keys`, newest first. */
export const KeyList = z.strictObject({ keys: z.array(KeyView), next_cursor: z.string().nullable() });
export type KeyList = z.infer<typeof KeyList>;
