import { escapeHtml, inline, prose } from "#lib/http/openapi/html.ts";
import type { SchemaNode } from "#lib/http/openapi/openapi-document.ts";

/** The parts of a JSON Schema that a person wants to see. */
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
export function schemaSection(name: string, node: SchemaNode): string {
  const { description } = node as ShownSchema;
  const table = fields(node, "");
  return `<article id="schema-${name}"><h3><code>${escapeHtml(name)}</code></h3>
${description ? prose(description) : ""}${table.length > 0 ? `<table><tbody>${table.join("")}</tbody></table>` : `<p>${typeOf(node)}</p>`}</article>`;
}

/** A row a field, those within it below. */
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

/** A schema's type in a few words, linked where it has a section of its own. */
export function typeOf(node: SchemaNode): string {
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
