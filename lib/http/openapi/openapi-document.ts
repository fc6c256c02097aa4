/** A JSON Schema node of the description. */
export type SchemaNode = Record<string, unknown>;

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: SchemaNode;
}

type Content = Record<string, { schema?: SchemaNode; example?: unknown }>;

export interface ResponseObject {
  description: string;
  headers?: Record<string, { description: string; schema: SchemaNode }>;
  content?: Content;
  links?: Record<string, { operationId: string; parameters: Record<string, string> }>;
}

export interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  /** As serverless.yml declares it. */
  "x-route-key": string;
  /** The scope a key needs unless the route's policy asks for another. */
  "x-scope"?: string;
  /** Needs no key from loopback on the local stage. */
  "x-open-to-loopback"?: true;
  security: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: true; content: Content };
  responses: Record<string, ResponseObject>;
}

/** The parts of an OpenAPI 3.1 document that this project writes: https://spec.openapis.org/oas/v3.1.1.html */
export interface OpenApiDocument {
  openapi: "3.1.1";
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, SchemaNode>;
    schemas: Record<string, SchemaNode>;
  };
}

/**
 * The API's description as generated into schemas/json/openapi.json. Loaded when first asked for, so
 * that what generates it can read the routes while it is not there.
 */
async function servedDocument(): Promise<OpenApiDocument> {
  const { default: document } = await import("#schemas/json/openapi.json", { with: { type: "json" } });
  return document as unknown as OpenApiDocument;
}

/** The description for a stage: on stage `local` some routes need no key. */
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

/** A path template of the API and its methods. */
export interface KnownPath {
  /** For example `/api/tasks/{id}`. */
  template: string;
  /** In capitals, sorted. */
  methods: string[];
}

interface Pattern extends KnownPath {
  matches: RegExp;
}

let patterns: Pattern[] | undefined;

/** The template and methods of a path, whichever function serves it; undefined when no route matches. */
export async function methodsByPath(path: string): Promise<KnownPath | undefined> {
  patterns ??= Object.values((await servedDocument()).paths).map((operations) => {
    const keys = Object.values(operations).map((operation) => operation["x-route-key"].split(" "));
    const template = keys[0]?.[1] ?? "";
    return { template, methods: keys.map(([method = ""]) => method).sort(), matches: patternOf(template) };
  });
  return patterns.find(({ matches }) => matches.test(path));
}

/** `{id}` is one segment, `{path+}` one or more. */
function patternOf(template: string): RegExp {
  const source = template.split("/").map((part) => {
    if (/^\{\w+\+\}$/.test(part)) return ".+";
    return /^\{\w+\}$/.test(part) ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("/")}$`);
}
