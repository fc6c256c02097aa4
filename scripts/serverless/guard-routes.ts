import { hasEdge } from "#lib/platform/settings/environment.ts";
import type { FunctionDeclaration, ServiceDeclaration } from "./expand-agents.ts";

/** Those that make webhooks' secrets and sign with them. */
const WEBHOOK_FUNCTIONS = ["gateway", "webhooks"];
/** In provider.httpApi.authorizers, and the function it runs. */
const AUTHORIZER = "credentials";
const AUTHORIZER_FUNCTION = "authorizer";
const CATCH_ALL = "*";

/**
 * Puts the authorizer before every route of a deployed stage, so that none can be declared without it,
 * and gives every function that judges credentials what their keys are hashed with, and those that sign
 * webhooks what these secrets follow from.
 * `custom.public_routes` and the catch-all, which only says that there is no such route, stay open. On
 * stages without an edge the functions judge credentials themselves, by the same code and with the same answers.
 */
export function guardRoutes({ provider, functions, custom }: ServiceDeclaration): void {
  if (provider.stage === undefined || !hasEdge(provider.stage)) return;
  const open = new Set([CATCH_ALL, ...(custom?.public_routes ?? [])]);
  for (const [name, declaration] of Object.entries(functions)) {
    if (hasRoutes(declaration) || name === AUTHORIZER_FUNCTION) {
      declaration.environment = { ...declaration.environment, API_KEY_PEPPER: custom?.api_key_pepper };
    }
    if (WEBHOOK_FUNCTIONS.includes(name)) {
      const { webhook_secret_root: WEBHOOK_SECRET_ROOT } = custom ?? {};
      declaration.environment = { ...declaration.environment, WEBHOOK_SECRET_ROOT };
    }
    declaration.events = declaration.events?.map((event) => guarded(event, open));
  }
}

function hasRoutes({ events = [] }: FunctionDeclaration): boolean {
  return events.some((event) => (event as { httpApi?: unknown }).httpApi !== undefined);
}

function guarded(event: unknown, open: ReadonlySet<string>): unknown {
  const { httpApi: route } = event as { httpApi?: unknown };
  if (route === undefined) return event;
  if (typeof route !== "string") throw new TypeError(`write the route as text: ${JSON.stringify(route)}`);
  if (open.has(route)) return event;
  const [method, path] = route.split(" ");
  return { httpApi: { method, path, authorizer: { name: AUTHORIZER } } };
}
