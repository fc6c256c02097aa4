import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { OpenApiDocument } from "#lib/http/openapi/openapi-document.ts";
import { methodsByPath } from "#lib/http/openapi/openapi-document.ts";
import { pathOf } from "../../scripts/generate/openapi-document.ts";

const document = JSON.parse(readFileSync("schemas/json/openapi.json", "utf8")) as OpenApiDocument;
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: "openapi", ...document });

interface Answered {
  method: string;
  path: string;
  status: number;
  headers: Headers;
  body: unknown;
}

/** Throws when a JSON answer is not one that the API's description promises: status, type, headers, schema. */
export async function checkConformance({ method, path, status, headers, body }: Answered): Promise<void> {
  const where = `${method} ${path} → ${status}`;
  const known = await methodsByPath(path.split("?")[0] ?? "");
  if (!known?.methods.includes(method)) return expectOutside(where, status);
  const template = pathOf(known.template);
  const response = document.paths[template]?.[method.toLowerCase()]?.responses[String(status)];
  if (!response) throw new Error(`${where} is not in the API's description: ${JSON.stringify(body)}`);
  for (const name of Object.keys(response.headers ?? {})) {
    if (!headers.has(name)) throw new Error(`${where} has no ${name}`);
  }
  const media_type = headers.get("content-type")?.split(";")[0] ?? "";
  const content = response.content?.[media_type];
  if (!content) throw new Error(`${where} is ${media_type}, which its description does not have`);
  const pointer = [template, method.toLowerCase(), "responses", status, "content", media_type, "schema"]
    .map((part) => encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1")))
    .join("/");
  const validate = content.schema ? ajv.getSchema(`openapi#/paths/${pointer}`) : () => true;
  if (validate?.(body)) return;
  const faults = ajv.errorsText((validate as { errors?: [] } | undefined)?.errors, { separator: "; " });
  throw new Error(`${where} is not as described: ${faults}: ${JSON.stringify(body)}`);
}

/** What no route takes has two answers. */
function expectOutside(where: string, status: number): void {
  if (status !== 404 && status !== 405) throw new Error(`${where}: there is no such route`);
}
