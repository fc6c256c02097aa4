import type { Scope } from "#schemas/records/api-key.ts";

/** Who a request comes from, and what it may do. Everything it reads or writes belongs to `tenant`. */
export interface Identity {
  tenant: string;
  /** `key:<key id>`, `jwt:<sub>` or `local`. */
  subject: string;
  scopes: readonly Scope[];
  /** RFC 3339: when this stops being true by itself. */
  valid_until?: string | undefined;
}

/** A caller on a developer's own machine, without a key: may look at what the local tenant has. */
export const LOCAL_IDENTITY: Identity = { tenant: "local", subject: "local", scopes: ["read"] };

/** What a credential turned out to be. `refused` is for the log only: no caller is told which part was wrong. */
export type Verdict = { identity: Identity } | { refused: string };
