import { z } from "zod";
import { Tenant } from "#schemas/primitives.ts";

/** Signatures by a private key only: with a shared secret whoever can check a token can make one. */
const Algorithm = z.enum(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]);

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Keys fetched in the clear could be anybody's. */
function isSafeAddress(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
}

const JwtIssuer = z.strictObject({
  issuer: z.string().min(1).max(500).describe("`iss` of its tokens, letter for letter"),
  jwks_url: z
    .url()
    .max(500)
    .refine(isSafeAddress, { message: "must be https, or http on loopback" })
    .describe("where its public keys are (RFC 7517); https, or http on loopback"),
  audiences: z
    .array(z.string().min(1).max(300))
    .min(1)
    .max(10)
    .describe("`aud` must hold one of these: tokens made for others are refused"),
  algorithms: z.array(Algorithm).min(1).describe("signature algorithms accepted; no others, never `none`"),
  tenant_claim: z.string().min(1).max(200).default("tenant").describe("claim with the tenant"),
  tenants: z
    .array(Tenant)
    .min(1)
    .max(1000)
    .optional()
    .describe("tenants this issuer may speak for; without it, any"),
  scope_claim: z
    .string()
    .min(1)
    .max(200)
    .default("scope")
    .describe("claim with the scopes: text with blanks between (RFC 8693), or a list"),
  scope_prefix: z
    .string()
    .max(100)
    .default("")
    .describe("what stands before our scopes there, for example `agents:`; others are ignored"),
  clock_tolerance_seconds: z.int().min(0).max(300).default(5).describe("how far its clock may be off"),
});
export type JwtIssuer = z.infer<typeof JwtIssuer>;

/** `configs/authentication.json`: how callers prove who they are, and how long that is remembered. */
export const AuthenticationConfig = z
  .strictObject({
    $schema: z.string(),
    key_days_default: z.int().min(1).max(3650).describe("days an API key works unless its maker says"),
    key_days_max: z.int().min(1).max(3650).describe("days an API key may work at most"),
    rotation_hours_default: z
      .int()
      .min(0)
      .max(8760)
      .describe("hours the old key still works after a rotation, unless asked otherwise"),
    rotation_hours_max: z
      .int()
      .min(0)
      .max(8760)
      .describe("hours the old key may still work after a rotation"),
    keys_per_tenant_max: z.int().min(1).max(1000).describe("keys in force a tenant may have"),
    last_used_minutes: z.int().min(1).max(1440).describe("how exactly a key's last use is known"),
    failures_max: z
      .int()
      .min(1)
      .max(1_000_000)
      .describe("failed attempts from one source address in a window before the answer is 429"),
    failures_window_seconds: z.int().min(1).max(3600).describe("length of that window"),
    failures_batch: z
      .int()
      .min(1)
      .max(1000)
      .describe(
        "failures of an address a process counts by itself before it tells the others: one write each",
      ),
    operator_tenants: z
      .array(Tenant)
      .max(100)
      .describe("tenants whose operators may command what all tenants share, such as a circuit"),
    audit_days: z.int().min(1).max(3650).describe("days an audit entry is kept"),
    jwt_issuers: z.array(JwtIssuer).max(20).describe("whose tokens open the API; none by default"),
  })
  .refine(({ key_days_default, key_days_max }) => key_days_default <= key_days_max, {
    path: ["key_days_default"],
    error: "key_days_default must not exceed key_days_max",
  })
  .refine(({ rotation_hours_default, rotation_hours_max }) => rotation_hours_default <= rotation_hours_max, {
    path: ["rotation_hours_default"],
    error: "rotation_hours_default must not exceed rotation_hours_max",
  })
  .refine(({ jwt_issuers }) => new Set(jwt_issuers.map(({ issuer }) => issuer)).size === jwt_issuers.length, {
    path: ["jwt_issuers"],
    error: "jwt_issuers names an issuer twice",
  });
export type AuthenticationConfig = z.infer<typeof AuthenticationConfig>;
