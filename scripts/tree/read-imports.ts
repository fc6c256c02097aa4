import { posix } from "node:path";
import { parseSync } from "oxc-parser";

/** One import in a source file, however it is written. */
export interface FoundImport {
  /** As written; undefined when it is computed at run time. */
  specifier: string | undefined;
}

interface AstNode {
  type: string;
  [field: string]: unknown;
}

/**
 * Every module a source names: `import`, `import type`, `export … from`, `import()`, types such as
 * `import("./x.ts").X`, `import x = require()`, `require()`, `import.meta.resolve()` and
 * `new URL("./x.ts", import.meta.url)`. Throws an Error when the source does not parse.
 */
export function readImports(path: string, source: string): FoundImport[] {
  const { program, errors } = parseSync(path, source);
  const [first] = errors;
  if (first) throw new Error(`${path} does not parse: ${first.message}`);
  const found: FoundImport[] = [];
  const open: unknown[] = [program];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) open.push(...value);
    else if (isNode(value)) {
      const named = moduleNamedBy(value);
      if (named) found.push(...choices(named).map((one) => ({ specifier: textOf(one) })));
      open.push(...Object.values(value));
    }
  }
  return found;
}

/**
 * The path a specifier leads to, below the repository's root: `#lib/x.ts` and relative paths. Undefined
 * for packages. A path that leaves the repository begins with `..` or `/`.
 */
export function importedPath(importer: string, specifier: string): string | undefined {
  const written = decoded(specifier).replace(/[?].*$/s, "");
  if (written.startsWith("#")) return posix.normalize(written.slice(1));
  if (written.startsWith("file:")) return written.slice("file:".length).replace(/^\/+/, "/");
  if (written.startsWith("/")) return posix.normalize(written);
  if (/^\.\.?(\/|$)/.test(written)) return posix.join(posix.dirname(importer), written);
  return undefined;
}

/** Node decodes percent-encoding in relative specifiers, so `./%61.ts` is `./a.ts`. */
function decoded(specifier: string): string {
  try {
    return decodeURIComponent(specifier);
  } catch {
    return specifier;
  }
}

function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && typeof (value as AstNode).type === "string";
}

/** The expression that names a module, where the node is an import. */
function moduleNamedBy(node: AstNode): unknown {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node.source;
    case "TSExternalModuleReference":
      return node.expression;
    case "CallExpression":
      return isResolver(node.callee) ? (node.arguments as unknown[])[0] : undefined;
    case "NewExpression": {
      const [url, base] = node.arguments as unknown[];
      const relative = isNamed(node.callee, "URL") && isNode(base) && isMetaProperty(base, "url");
      return relative ? url : undefined;
    }
    default:
      return undefined;
  }
}

/** `require`, `require.resolve` or `import.meta.resolve`. */
function isResolver(callee: unknown): boolean {
  if (isNamed(callee, "require") || !isNode(callee)) return isNamed(callee, "require");
  if (isMetaProperty(callee, "resolve")) return true;
  return callee.type === "MemberExpression" && isNamed(callee.object, "require");
}

function isMetaProperty(node: AstNode, name: string): boolean {
  const { object } = node;
  return node.type === "MemberExpression" && isNode(object) && object.type === "MetaProperty"
    ? isNamed(node.property, name)
    : false;
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && node.type === "Identifier" && node.name === name;
}

/** The expressions that `a ? b : c` chooses from; else the expression itself. */
function choices(node: unknown): unknown[] {
  if (!isNode(node) || node.type !== "ConditionalExpression") return [node];
  return [...choices(node.consequent), ...choices(node.alternate)];
}

/** What a string literal, or a template without expressions, says. */
function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TSLiteralType") return textOf(node.literal);
  if (node.type !== "TemplateLiteral") return undefined;
  const quasis = node.quasis as { value: { cooked: string } }[];
  return quasis.length === 1 ? quasis[0]?.value.cooked : undefined;
}
