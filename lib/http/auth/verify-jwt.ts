import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import type { CredentialCheck } from "#lib/http/auth/identity.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { JwtIssuer } from "#schemas/config/authentication.ts";
import { Tenant } from "#schemas/primitives.ts";
import { Scope, Subject } from "#schemas/records/api-key.ts";

const TOKEN_CHARACTERS_MAX = 8192;
const JWKS_TIMEOUT_MS = 3000;
/** An unknown `kid` makes us look for new keys, but no more often than this. */
const JWKS_COOLDOWN_MS = 30_000;
const JWKS_AGE_MS_MAX = 600_000;
const JWKS_SETS_MAX = 50;

const key_sets = new LRUCache<string, ReturnType<typeof createRemoteJWKSet>>({ max: JWKS_SETS_MAX });

/**
 * Whose token this is, by the rules of the issuer it names: RFC 7519 and RFC 8725. Its tenant and
 * scopes come from its claims.
 *
 * @throws HttpError 503 `ISSUER_UNAVAILABLE` when the issuer's keys cannot be had.
 */
export async function verifyJwt(
  token: string,
  issuers: readonly JwtIssuer[],
  now: number,
): Promise<CredentialCheck> {
  const issuer = issuerOf(token, issuers);
  if (!issuer) return { refused: "token of no known issuer" };
  try {
    const { payload } = await jwtVerify(token, keySet(issuer.jwks_url), {
      issuer: issuer.issuer,
      audience: issuer.audiences,
      algorithms: issuer.algorithms,
      clockTolerance: issuer.clock_tolerance_seconds,
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(now),
    });
    return identityOf(payload, issuer);
  } catch (error) {
    if (isUnavailable(error)) {
      throw new HttpError(
        "ISSUER_UNAVAILABLE",
        "the keys of the token's issuer cannot be read just now; try again in a moment",
        undefined,
        { "retry-after": "5" },
      );
    }
    if (error instanceof errors.JOSEError) return { refused: `token of ${issuer.issuer}: ${error.code}` };
    throw error;
  }
}

/** What the token says of its issuer chooses the rules it is then held to. */
function issuerOf(token: string, issuers: readonly JwtIssuer[]): JwtIssuer | undefined {
  if (issuers.length === 0 || token.length > TOKEN_CHARACTERS_MAX) return undefined;
  try {
    const { iss } = decodeJwt(token);
    return issuers.find(({ issuer }) => issuer === iss);
  } catch {
    return undefined;
  }
}

function identityOf(payload: JWTPayload, issuer: JwtIssuer): CredentialCheck {
  const tenant = Tenant.safeParse(payload[issuer.tenant_claim]);
  if (!tenant.success) return { refused: `token of ${issuer.issuer}: no tenant in ${issuer.tenant_claim}` };
  if (issuer.tenants && !issuer.tenants.includes(tenant.data)) {
    return { refused: `${issuer.issuer} may not speak for tenant ${tenant.data}` };
  }
  const subject = Subject.safeParse(`jwt:${payload.sub}`);
  if (!subject.success) return { refused: `token of ${issuer.issuer}: unusable sub` };
  const scopes = scopesOf(payload[issuer.scope_claim], issuer.scope_prefix);
  const valid_until = instant(Math.min(Number(payload.exp) * 1000, Date.UTC(9999, 0)));
  return { identity: { tenant: tenant.data, subject: subject.data, scopes, valid_until } };
}

function scopesOf(claim: unknown, prefix: string): Scope[] {
  const names = typeof claim === "string" ? claim.split(/\s+/) : Array.isArray(claim) ? claim : [];
  const held = new Set(
    names.flatMap((name: unknown) =>
      typeof name === "string" && name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
    ),
  );
  return Scope.options.filter((scope) => held.has(scope));
}

function keySet(url: string): ReturnType<typeof createRemoteJWKSet> {
  const known = key_sets.get(url);
  if (known) return known;
  const made = createRemoteJWKSet(new URL(url), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_AGE_MS_MAX,
  });
  key_sets.set(url, made);
  return made;
}

/** The issuer's fault, not the token's: it does not answer, or not with keys. */
function isUnavailable(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  if (error instanceof TypeError) return true; // fetch
  return error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC";
}
