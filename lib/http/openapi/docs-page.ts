import { createHash } from "node:crypto";
import type {
  OpenApiDocument,
  Operation,
  Parameter,
  ResponseObject,
  SchemaNode,
} from "#lib/http/openapi/openapi-document.ts";

/** The page's style sheet: follows the reader's colour scheme and font size; the table of contents is not printed. */
const DOCS_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #353b42); --soft: light-dark(#f5f7f9, #1d2126);
  --text: light-dark(#1b1f24, #e6e9ec); --back: light-dark(#ffffff, #14171a); --mute: light-dark(#59626c, #9aa4ae);
  --link: light-dark(#0b57c4, #7fb2ff); --get: light-dark(#0a6b3d, #5fd39a); --post: light-dark(#8a4b00, #f0b35b);
  --delete: light-dark(#b3261e, #ff9a91); }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 19rem minmax(0, 1fr); color: var(--text); background: var(--back);
  font: 1rem/1.55 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem 1rem; background: var(--soft);
  border-right: 1px solid var(--line); font-size: .875rem; }
nav h2 { margin: 1.1rem 0 .2rem; font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; color: var(--mute); }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li a { display: block; padding: .2rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a.home { font-size: 1rem; font-weight: 650; color: inherit; text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem); max-width: 66rem; }
h1 small { font-size: 1rem; font-weight: 400; color: var(--mute); }
section > h2 { margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); text-transform: capitalize; }
article { margin: 1.75rem 0 2.5rem; }
h3 { margin: 0 0 .3rem; font-size: 1.05rem; overflow-wrap: anywhere; }
h4 { margin: 1rem 0 .3rem; font-size: .875rem; color: var(--mute); }
p { margin: .4rem 0; max-width: 48rem; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre, b.method { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
pre { padding: .8rem 1rem; overflow-x: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
b.method { text-transform: uppercase; color: var(--post); }
b.get { color: var(--get); } b.delete { color: var(--delete); }
.scope, small { color: var(--mute); }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
td { padding: .35rem .75rem .35rem 0; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
td:first-child { width: 15rem; }
article table tr[class^="s"] td:first-child { width: 3.5rem; font-variant-numeric: tabular-nums; }
article table tr[class^="s"] td:nth-child(2) { width: 15rem; }
tr.s4 td:first-child, tr.s5 td:first-child { color: var(--mute); }
@media (max-width: 50rem) { body { display: flex; flex-direction: column; }
  nav { order: 1; position: static; height: auto; border-right: 0; border-top: 1px solid var(--line); }
  nav ul { columns: 14rem; }
  tr { display: block; padding: .35rem 0; border-top: 1px solid var(--line); }
  article table tr td, article table tr[class^="s"] td:nth-child(-n+2) { display: inline; width: auto; padding: 0 .6rem 0 0; border: 0; }
  article table tr td:nth-child(n+3) { display: block; }
  article table tr td:empty { display: none; } }
@media print { body { display: block; } nav { display: none; } }
`;

/** Allows the one style sheet by its hash, and no scripts, images, fonts or other sources. */
const STYLE_HASH = createHash("sha256").update(DOCS_STYLE).digest("base64");
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

/** Renders the API's description as one HTML page, with its response headers. */
export function docsPage(document: OpenApiDocument): { html: string; headers: Record<string, string> } {
  const { info, tags, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const groups = tags.map(({ name }) => ({
    name,
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)} API</title>
<style>${DOCS_STYLE}</style>
</head>
<body>
<nav aria-label="Contents">
<a class="home" href="#top">${escapeHtml(info.title)}</a>
${groups.map(({ name, operations: each }) => contents(name, each)).join("\n")}
<h2>Schemas</h2>
<ul>${Object.keys(components.schemas)
    .map((name) => `<li><a href="#schema-${name}">${name}</a></li>`)
    .join("")}</ul>
</nav>
<main id="top">
<header>
<h1>${escapeHtml(info.title)} <small>API ${escapeHtml(info.version)}</small></h1>
${info.description.split("\n\n").map(prose).join("\n")}
<pre><code>curl -H "authorization: Bearer $AGENTS_KEY" \\
     <em>https://…</em>/api/tasks</code></pre>
<p>For programs: <a href="/api/openapi.json">/api/openapi.json</a> (OpenAPI 3.1).</p>
</header>
${groups
  .map(
    ({ name, operations: each }) =>
      `<section aria-labelledby="tag-${name}"><h2 id="tag-${name}">${escapeHtml(name)}</h2>${each.map(operationSection).join("\n")}</section>`,
  )
  .join("\n")}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas)
  .map(([name, schema]) => schemaSection(name, schema))
  .join("\n")}
</section>
</main>
</body>
</html>
`;
  return { html, headers: HEADERS };
}

function contents(name: string, operations: { method: string; operation: Operation }[]): string {
  const links = operations.map(
    ({ method, operation }) =>
      `<li><a href="#${operation.operationId}"><b class="method ${method}">${method}</b> ${escapeHtml(operation.summary)}</a></li>`,
  );
  return `<h2>${escapeHtml(name)}</h2>\n<ul>${links.join("")}</ul>`;
}

interface DescribedOperation {
  method: string;
  path: string;
  operation: Operation;
}

/** One operation: parameters, body and responses with their error codes. */
function operationSection({ method, path, operation }: DescribedOperation): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const body = requestBody?.content["application/json"];
  return `<article id="${operationId}">
<h3><b class="method ${method}">${method}</b> <code>${escapeHtml(path)}</code></h3>
<p class="summary">${inline(summary)}. <span class="scope">${access(operation)}</span></p>
${description ? prose(description) : ""}
${parameters.length > 0 ? parameterTable(parameters) : ""}
${body ? `<h4>Body</h4><p><code>application/json</code>: ${typeOf(body.schema ?? {})}</p>${example(body.example)}` : ""}
<h4>Answers</h4>
<table><tbody>${Object.entries(responses).map(responseRow).join("")}</tbody></table>
</article>`;
}

function access({ security, "x-scope": scope, "x-open-to-loopback": open }: Operation): string {
  if (security.length === 0) return "Needs no key";
  const loopback = open ? "; on the local stage none from this machine" : "";
  return `Needs a key with scope <code>${escapeHtml(scope ?? "")}</code>${loopback}`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? "" : " <small>optional</small>"}</td><td>${place}</td><td>${typeOf(schema)}</td><td>${inline(description ?? "")}</td></tr>`,
  );
  return `<h4>Parameters</h4><table><tbody>${rows.join("")}</tbody></table>`;
}

function example(value: unknown): string {
  return value === undefined
    ? ""
    : `<pre><code>${escapeHtml(JSON.stringify(value, undefined, 2))}</code></pre>`;
}

function responseRow([status, { description, content = {} }]: [string, ResponseObject]): string {
  const said = Object.entries(content).map(([media_type, { schema }]) => {
    const codes = codesOf(schema);
    if (codes.length > 0) return codes.map((code) => `<code>${escapeHtml(code)}</code>`).join(" ");
    return schema ? typeOf(schema) : `<code>${escapeHtml(media_type)}</code>`;
  });
  return `<tr class="s${status[0]}"><td>${status}</td><td>${inline(description)}</td><td>${said.join("<br>")}</td></tr>`;
}

/** The codes of a problem's schema. */
function codesOf(schema: SchemaNode | undefined): string[] {
  const { properties } = (schema ?? {}) as { properties?: { code?: { enum?: string[] } } };
  return properties?.code?.enum ?? [];
}

/** The parts of a JSON Schema that the page shows. */
interface ShownSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  description?: string;
  items?: SchemaNode;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: SchemaNode | boolean;
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
}

const DEPTH_MAX = 6;

/** One component with its fields. */
function schemaSection(name: string, node: SchemaNode): string {
  const { description } = node as ShownSchema;
  const table = fields(node, "");
  return `<article id="schema-${name}"><h3><code>${escapeHtml(name)}</code></h3>
${description ? prose(description) : ""}${table.length > 0 ? `<table><tbody>${table.join("")}</tbody></table>` : `<p>${typeOf(node)}</p>`}</article>`;
}

/** One table row for each field, followed by the rows of its nested fields. */
function fields(node: SchemaNode, prefix: string, depth = 0): string[] {
  if (depth > DEPTH_MAX) return [];
  const { properties = {}, required = [], items, anyOf, oneOf } = node as ShownSchema;
  const own = Object.entries(properties).flatMap(([name, field]) => {
    const { description = "" } = field as ShownSchema;
    const optional = required.includes(name) ? "" : " <small>optional</small>";
    const row = `<tr><td><code>${escapeHtml(prefix + name)}</code>${optional}</td><td>${typeOf(field)}</td><td>${inline(description)}</td></tr>`;
    return [row, ...fields(field, `${prefix}${name}.`, depth + 1)];
  });
  const inItems = items ? fields(items, `${prefix.replace(/\.$/, "")}[].`, depth + 1) : [];
  const branches = (anyOf ?? oneOf ?? []).flatMap((branch) => fields(branch, prefix, depth + 1));
  return [...own, ...inItems, ...new Set(branches)];
}

/** A schema's type in a few words, linked to its section if it has one. */
function typeOf(node: SchemaNode): string {
  const shown = node as ShownSchema;
  if (shown.$ref) {
    const name = shown.$ref.split("/").at(-1) ?? "";
    return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name)}</a>`;
  }
  if (shown.const !== undefined) return literal(shown.const);
  if (shown.enum) return shown.enum.map(literal).join(" or ");
  const branches = shown.anyOf ?? shown.oneOf;
  if (branches) return [...new Set(branches.map(typeOf))].join(" or ");
  if (shown.type === "array")
    return `list of ${shown.items ? typeOf(shown.items) : "anything"}${limit(shown)}`;
  if (shown.type === "object" && typeof shown.additionalProperties === "object") {
    return `map of ${typeOf(shown.additionalProperties)}`;
  }
  const name = shown.type === "string" ? "text" : [shown.type ?? "anything"].flat().join(" or ");
  return `${name}${limit(shown)}`;
}

function literal(value: unknown): string {
  return `<code>${escapeHtml(JSON.stringify(value))}</code>`;
}

function limit({ minimum, maximum, maxLength, maxItems }: ShownSchema): string {
  const highest = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && highest !== undefined) return ` ${minimum} to ${highest}`;
  if (minimum !== undefined) return ` ≥ ${minimum}`;
  const most = maxLength ?? maxItems ?? highest;
  return most === undefined ? "" : ` ≤ ${most}${maxLength === undefined ? "" : " characters"}`;
}

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

/** One line of text with `code` in it. */
function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function prose(text: string): string {
  return `<p>${inline(text)}</p>`;
}
