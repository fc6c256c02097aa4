import { readFileSync } from "node:fs";
import { parseServerless, SERVERLESS_FILE } from "../../scripts/tree/serverless.ts";
import type { ApiClient } from "./client.ts";

/** One route of serverless.yml. */
export interface DeclaredRoute {
  /** As declared, for example `GET /api/tasks/{id}`. */
  key: string;
  method: string;
  path: string;
  /** Named in custom.public_routes: needs no credential. */
  is_public: boolean;
}

/** Every httpApi event of every function but the catch-all. */
export function declaredRoutes(): DeclaredRoute[] {
  const declared = parseServerless(readFileSync(SERVERLESS_FILE, "utf8"));
  const { custom } = declared as { custom?: { public_routes?: string[] } };
  const open = new Set(custom?.public_routes);
  const routes = Object.values(declared.functions).flatMap(({ events }) =>
    events.flatMap(({ httpApi }) => (httpApi === undefined || httpApi === "*" ? [] : [httpApi])),
  );
  return routes.map((route) => {
    const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(String(route)) ?? [];
    if (!method || !path) throw new Error(`this route cannot be tried: ${JSON.stringify(route)}`);
    return { key: String(route), method, path, is_public: open.has(String(route)) };
  });
}

/**
 * The path with everything in braces replaced by the id of something that is there for `owner`. It is
 * taken from the list one level up (`/api/tasks/{id}` from `GET /api/tasks`), or, where the path names
 * what it is of (`{task}`), from `GET /api/tasks`. The rest of a path (`{path+}`) is a file every
 * finished task has. Throws where that finds nothing: then the route cannot be tried.
 */
export async function ownedPath({ key, path }: DeclaredRoute, owner: ApiClient): Promise<string> {
  let filled = "";
  for (const part of path.split("/").slice(1)) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined)
      filled += `/${await idFrom(name === "id" ? filled : `/api/${name}s`, key, owner)}`;
    else filled += part === "{path+}" ? "/task.json" : `/${part}`;
    if (part.startsWith("{") && name === undefined && part !== "{path+}") throw untriable(key, part);
  }
  return filled;
}

/** The first id in the list at `path`. */
async function idFrom(path: string, key: string, owner: ApiClient): Promise<string> {
  const ids = await listedIds(path, owner);
  const [first] = ids;
  if (first === undefined) throw untriable(key, `GET ${path} lists nothing with an id`);
  return first;
}

/** The ids in the list at `path`, whatever it lists. */
export async function listedIds(path: string, client: ApiClient): Promise<string[]> {
  const { status, body } = await client.request<Record<string, unknown>>("GET", path);
  const list = status === 200 ? Object.values(body).find(Array.isArray) : undefined;
  return (list ?? []).flatMap((item: Record<string, unknown>) => {
    const id = Object.entries(item).find(
      ([name]) => name.endsWith("_id") || ["id", "name", "failure"].includes(name),
    );
    return id === undefined ? [] : [String(id[1])];
  });
}

function untriable(key: string, why: string): Error {
  return new Error(
    `${key} cannot be tried: ${why}. Give it a list one level up that has something in it, see test/e2e/routes.ts`,
  );
}
