import { type SgNode, ts } from "@ast-grep/napi";
import type { Tree } from "../tree/tree.ts";
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
const LOG_METHODS = /(^|\.)log(ger)?\b.*\.(info|warn|error)$/s;
const SENTENCE_FIELDS = ["message", "sentence", "detail", "reason", "title", "description"];

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
    if (LOG_METHODS.test(callee)) return [];
    const given = (call.field("arguments")?.children() ?? []).filter((node) => node.isNamed());
    const disposition = dispositions.get(callee === "super" ? enclosingClass(call) : callee);
    return given.flatMap((node, position) => {
      const sentence = given[position + 1] ? sentenceOf(given[position + 1] as SgNode) : "";
      const isFault = disposition !== undefined && position === 0;
      return codesOf(node)
        .filter(() => isFault || sentence !== "")
        .map((code) => ({ code, sentence, ...(isFault ? { disposition } : {}) }));
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

/** The codes an expression may stand for: a literal, or either side of a condition. */
function codesOf(node: SgNode): string[] {
  if (node.kind() === "ternary_expression") {
    return ["consequence", "alternative"].flatMap((side) => {
      const branch = node.field(side);
      return branch ? codesOf(branch) : [];
    });
  }
  const text = stringValue(node);
  return text !== undefined && CODE.test(text) ? [text] : [];
}

function enclosingClass(node: SgNode): string {
  const owner = node.ancestors().find((ancestor) => ancestor.kind() === "class_declaration");
  return owner?.field("name")?.text() ?? "";
}
