import type { IdentityView } from "#schemas/http/identity.ts";

export type Scope = IdentityView["scopes"][number];

/** Who is signed in, and with which key. */
export interface Session {
  key: string;
  identity: IdentityView;
}

/** The key is kept for this tab only, until it is closed or signed out. */
const KEPT_AS = "console.key";

let session: Session | undefined;
const listeners = new Set<() => void>();

export function keptKey(): string | undefined {
  return sessionStorage.getItem(KEPT_AS) ?? undefined;
}

export function currentSession(): Session | undefined {
  return session;
}

export function signIn(signed_in: Session): void {
  session = signed_in;
  sessionStorage.setItem(KEPT_AS, signed_in.key);
  for (const listener of listeners) listener();
}

export function signOut(): void {
  session = undefined;
  sessionStorage.removeItem(KEPT_AS);
  for (const listener of listeners) listener();
}

/** Calls back after each sign-in and sign-out; answers what ends that. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the key has the scope. The API decides; the console only leaves out what it would refuse. */
export function may(scope: Scope): boolean {
  return session?.identity.scopes.includes(scope) ?? false;
}
