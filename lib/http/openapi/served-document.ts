import type { OpenApiDocument, Operation } from "#lib/http/openapi/openapi-document.ts";

/**
 * The API's description as generated into schemas/json/openapi.json. Loaded when first asked for, so
 * that what generates it can read the routes while it is not there.
 */
export async function servedDocument(): Promise<OpenApiDocument> {
  const { default: document } = await import("#schemas/json/openapi.json", { with: { type: "json" } });
  return document as unknown as OpenApiDocument;
}

/** As it holds on a stage: on the local one some routes answer without a key. */
export async function documentOf(stage: string): Promise<OpenApiDocument> {
  const document = await servedDocument();
  if (stage !== "local") return document;
  const paths = Object.entries(document.paths).map(([path, operations]) => {
    const opened = Object.entries(operations).map(([method, operation]) => [
      method,
      openToLoopback(operation),
    ]);
    return [path, Object.fromEntries(opened)];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}

function openToLoopback(operation: Operation): Operation {
  if (!operation["x-open-to-loopback"]) return operation;
  return { ...operation, security: [...operation.security, {}] };
}
