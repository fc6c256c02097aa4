import type { Identity } from "#lib/http/auth/identity.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Scope } from "#schemas/records/api-key.ts";

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
    403,
    "SCOPE_MISSING",
    `this needs the scope ${scope}; your credential has ${held}. Ask for a key with it: agents keys create --scopes ${scope}`,
  );
}
