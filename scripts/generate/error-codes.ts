import { type SgNode, ts } from "@ast-grep/napi";
import type { Tree } from "../tree/tree.ts";
import { docstringAbove } from "./docstring.ts";
import { faultDispositions } from "./fault-dispositions.ts";
import { sentenceOf, stringValue } from "./sentence.ts";

/** One place in the source that gives work, or a caller, an error code. */
export interface ErrorUse {
  file: string;
  /** What is written there, values in `<angle brackets>`; "" where the sentence is composed elsewhere. */
  sentence: string;
  /** What becomes of the work; absent when the code stands in an answer or a report. */
  disposition?: string;
}

/** Every stable error code, sorted → where it is used. */
export type ErrorCodes = Map<string, ErrorUse[]>;

const SOURCES = /^(functions|lib|local|cli)\/.+\.ts$/;
const NOT_OURS = /\.test\.ts$|(^|\/)(test|testing|fixtures)\//;
const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;
const LOG_CALL = /(^|\.)log(ger)?\b.*(\.(info|warn|error)|\[\w+\])$/s;
const SENTENCE_FIELDS = ["message", "sentence", "detail", "reason", "evidence", "title", "description"];

/**
 * Finds codes in three forms: `new SomeFault("CODE", sentence)` (also `super(…)` in a subclass),
 * `anyCall(…, "CODE", sentence)` save log lines, and `{ code: "CODE", message: sentence }`.
 */
export function collectErrorCodes(tree: Tree): ErrorCodes {
  const sources = tree.files.filter((path) => SOURCES.test(path) && !NOT_OURS.test(path));
  const parsed = sources.map((file) => ({ file, root: ts.parse(tree.read(file)).root() }));
  const dispositions = faultDispositions(parsed.map(({ root }) => root));
  const codes: ErrorCodes = new Map();
  for (const { file, root } of parsed) {
    for (const { code, ...use } of [...codesInCalls(root, dispositions), ...codesInObjects(root)]) {
      codes.set(code, [...(codes.get(code) ?? []), { file, ...use }]);
    }
  }
  return new Map([...codes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

type FoundCode = Omit<ErrorUse, "file"> & { code: string };

function codesInCalls(root: SgNode, dispositions: Map<string, string>): FoundCode[] {
  const calls = root.findAll({ rule: { any: [{ kind: "new_expression" }, { kind: "call_expression" }] } });
  return calls.flatMap((call) => {
    const callee = (call.field("constructor") ?? call.field("function"))?.text() ?? "";
    if (LOG_CALL.test(callee)) return [];
    const owner = callee === "super" ? enclosingClass(call) : undefined;
    const disposition = dispositions.get(owner?.field("name")?.text() ?? callee);
    const throws = disposition !== undefined || call.kind() === "new_expression";
    const given = (call.field("arguments")?.children() ?? []).filter((node) => node.isNamed());
    return given.flatMap((node, position) => {
      const next = given[position + 1];
      const sentence = (next && sentenceOf(next)) || (owner ? classDocstring(owner) : "");
      return codesOf(node)
        .filter(() => throws || sentence !== "")
        .map((code) => ({ code, sentence, ...(disposition ? { disposition } : {}) }));
    });
  });
}

function codesInObjects(root: SgNode): FoundCode[] {
  return root.findAll({ rule: { kind: "object" } }).flatMap((object) => {
    const fields = new Map<string, SgNode>();
    for (const pair of object.children().filter((child) => child.kind() === "pair")) {
      const value = pair.field("value");
      if (value) fields.set(pair.field("key")?.text() ?? "", value);
    }
    const said = SENTENCE_FIELDS.map((name) => fields.get(name)).find((node) => node !== undefined);
    const value = fields.get("code");
    return value ? codesOf(value).map((code) => ({ code, sentence: said ? sentenceOf(said) : "" })) : [];
  });
}

const SIDES = ["consequence", "alternative", "left", "right"];

/** The codes an expression may stand for: a literal, or either side of `? :` and `??`. */
function codesOf(node: SgNode): string[] {
  const text = stringValue(node);
  if (text !== undefined) return CODE.test(text) ? [text] : [];
  if (node.kind() !== "ternary_expression" && node.kind() !== "binary_expression") return [];
  return SIDES.flatMap((side) => {
    const branch = node.field(side);
    return branch ? codesOf(branch) : [];
  });
}

function enclosingClass(node: SgNode): SgNode | undefined {
  return node.ancestors().find((ancestor) => ancestor.kind() === "class_declaration");
}

function classDocstring(declaration: SgNode): string {
  const parent = declaration.parent();
  return docstringAbove(parent?.kind() === "export_statement" ? parent : declaration);
}
