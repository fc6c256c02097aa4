import type { ServiceDeclaration } from "./expand-agents.ts";

/** In provider.httpApi.authorizers. */
const AUTHORIZER = "credentials";
const CATCH_ALL = "*";

/**
 * Puts the authorizer before every route of a deployed stage, so that none can be declared without it.
 * `custom.public_routes` and the catch-all, which only says that there is no such route, stay open. On
 * the local stage the functions judge credentials themselves, by the same code and with the same answers.
 */
export function guardRoutes({ provider, functions, custom }: ServiceDeclaration): void {
  if (provider.stage === undefined || provider.stage === "local") return;
  const open = new Set([CATCH_ALL, ...(custom?.public_routes ?? [])]);
  for (const declaration of Object.values(functions)) {
    declaration.events = declaration.events?.map((event) => guarded(event, open));
  }
}

function guarded(event: unknown, open: ReadonlySet<string>): unknown {
  const { httpApi: route } = event as { httpApi?: unknown };
  if (route === undefined) return event;
  if (typeof route !== "string") throw new TypeError(`write the route as text: ${JSON.stringify(route)}`);
  if (open.has(route)) return event;
  const [method, path] = route.split(" ");
  return { httpApi: { method, path, authorizer: { name: AUTHORIZER } } };
}
