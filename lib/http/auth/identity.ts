import { z } from "zod";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { Instant, Tenant } from "#schemas/primitives.ts";
import { Scope, Subject } from "#schemas/records/api-key.ts";

/** The authenticated caller and its scopes. A request reads and writes data of `tenant` only. */
export interface Identity {
  tenant: string;
  /** `key:<key id>`, `jwt:<sub>` or `local`. */
  subject: string;
  scopes: readonly Scope[];
  /** RFC 3339: when the credential expires. */
  valid_until?: string | undefined;
}

/** A caller on the developer's own machine without a key: may read the data of tenant `local`. */
export const LOCAL_IDENTITY: Identity = { tenant: "local", subject: "local", scopes: ["read"] };

/** The result of checking a credential. `refused` is for the log only: callers are not told which part was wrong. */
export type CredentialCheck = { identity: Identity } | { refused: string };

/**
 * Who may use a route. `key`: an API key or a token. `key-or-local`: on the local stage a caller on
 * loopback needs none. `public`: anybody, so it shows nothing of any tenant.
 */
export type Access = { access: "public"; scope?: never } | { access: "key" | "key-or-local"; scope: Scope };

/** The scope a caller needs for a route; undefined where none is. */
export function requiredScope(route: Access): Scope | undefined {
  return route.access === "public" ? undefined : route.scope;
}

/** Throws HttpError 403 `SCOPE_MISSING`, naming the scope, unless the identity has it. */
export function authorize(identity: Identity, scope: Scope | undefined): void {
  if (scope === undefined || identity.scopes.includes(scope)) return;
  const held = identity.scopes.length > 0 ? identity.scopes.join(", ") : "none";
  throw new HttpError(
    "SCOPE_MISSING",
    `this needs the scope ${scope}; your credential has ${held}. Ask for a key with it: agents keys create --scopes ${scope}`,
  );
}

/** What the authorizer hands a function through API Gateway: flat text, as a context may hold. */
const EdgeContext = z.union([
  z.strictObject({ verdict: z.literal("refused"), reason: z.string() }),
  z.strictObject({
    verdict: z.literal("identity"),
    tenant: Tenant,
    subject: Subject,
    scopes: z
      .string()
      .transform((text) => text.split(" ").filter((scope) => scope !== ""))
      .pipe(z.array(Scope)),
    valid_until: z.union([z.literal(""), Instant]),
  }),
]);

const REASON_CHARACTERS_MAX = 300;

/** A verdict as an authorizer's context. */
export function toEdgeContext(verdict: CredentialCheck): Record<string, string> {
  if ("refused" in verdict) {
    return { verdict: "refused", reason: verdict.refused.slice(0, REASON_CHARACTERS_MAX) };
  }
  const { tenant, subject, scopes, valid_until = "" } = verdict.identity;
  return { verdict: "identity", tenant, subject, scopes: scopes.join(" "), valid_until };
}

/** The verdict in an event's `requestContext.authorizer.lambda`; undefined when there is none to go by. */
export function fromEdgeContext(context: unknown): CredentialCheck | undefined {
  const parsed = EdgeContext.safeParse(context);
  if (!parsed.success) return undefined;
  if (parsed.data.verdict === "refused") return { refused: parsed.data.reason };
  const { tenant, subject, scopes, valid_until } = parsed.data;
  return { identity: { tenant, subject, scopes, valid_until: valid_until || undefined } };
}
