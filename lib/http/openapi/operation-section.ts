import { escapeHtml, inline, prose } from "#lib/http/openapi/html.ts";
import type { Operation, Parameter, ResponseObject, SchemaNode } from "#lib/http/openapi/openapi-document.ts";
import { typeOf } from "#lib/http/openapi/schema-section.ts";

interface DescribedOperation {
  method: string;
  path: string;
  operation: Operation;
}

/** One operation: what it takes, what it answers, what may be wrong. */
export function operationSection({ method, path, operation }: DescribedOperation): string {
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
