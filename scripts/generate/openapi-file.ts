import type { ApiHandler } from "#lib/http/api/define-api.ts";
import type { Routes } from "#lib/http/route.ts";
import { handlerModule, httpRoutes, parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import type { Tree } from "../tree/tree.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { buildDocument } from "./openapi-document.ts";
import type { PublishedSchema } from "./published-schemas.ts";

const DOCUMENT = "schemas/json/openapi.json";
const NAMED = /^(http|message)\./;

/** schemas/json/openapi.json: the routes of serverless.yml as their handlers describe them; none without any. */
export async function openapiFile(tree: Tree, schemas: readonly PublishedSchema[]): Promise<GeneratedFile[]> {
  const routes = await declaredRoutes(tree);
  if (Object.keys(routes).length === 0) return [];
  const named = schemas.filter(({ name }) => NAMED.test(name));
  const { version } = JSON.parse(tree.read("package.json")) as { version: string };
  const text = JSON.stringify(buildDocument(routes, named, version), undefined, 2);
  return [{ path: DOCUMENT, text: `${text}\n` }];
}

/** Every route of serverless.yml that its function's handler has, in the order of serverless.yml. */
async function declaredRoutes(tree: Tree): Promise<Routes> {
  const found: Routes = {};
  if (!tree.has(SERVERLESS_FILE)) return found;
  for (const one of Object.values(parseServerless(tree.read(SERVERLESS_FILE)).functions)) {
    const declared = httpRoutes(one);
    if (declared.length === 0) continue;
    const served = await servedRoutes(tree, handlerModule(one));
    for (const key of declared) if (served[key]) found[key] = served[key];
  }
  return found;
}

/** The routes of a handler made with `defineApi`; none of any other. */
export async function servedRoutes(tree: Tree, module: string): Promise<Routes> {
  const { handler } = (await tree.load(module)) as { handler?: Partial<ApiHandler> };
  return handler?.routes ?? {};
}
