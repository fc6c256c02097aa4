import { createHash } from "node:crypto";
import { DOCS_STYLE } from "#lib/http/openapi/docs-style.ts";
import { escapeHtml, prose } from "#lib/http/openapi/html.ts";
import type { OpenApiDocument, Operation } from "#lib/http/openapi/openapi-document.ts";
import { operationSection } from "#lib/http/openapi/operation-section.ts";
import { schemaSection } from "#lib/http/openapi/schema-section.ts";

/** The one style sheet, by its hash; no script, no image, no font, nothing from elsewhere. */
const STYLE_HASH = createHash("sha256").update(DOCS_STYLE).digest("base64");
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

/** The API's description as one page for people, and the headers it needs. */
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
