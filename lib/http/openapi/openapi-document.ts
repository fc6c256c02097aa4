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
