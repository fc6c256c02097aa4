import { XMLParser } from "fast-xml-parser";
import { JUNIT_ELEMENTS, readJunitCases } from "#lib/code/test-results/junit-cases.ts";
import { type TestDocument, testDocument } from "#lib/code/test-results/test-document.ts";
import { forwardSearch } from "#lib/code/test-results/text-search.ts";

/** What stands at a place of a text. */
interface FoundJunit {
  document: TestDocument | null;
  /** Just after the document; without one just after what may stand before it: comments, instructions, a DTD. */
  end: number;
}

const XML_CHARACTERS_MAX = 8_000_000;
const DEPTH_REFUSED = 1000;
/** The opening tag of a root element, also with a prefix of a namespace. */
export const ROOT = /<(?:[\w.-]{1,50}:)?testsuites?(?=[\s>/])/g;
const ROOT_HERE = new RegExp(ROOT, "y");
/** What the end of a document depends on. */
const MARK =
  /<!\[CDATA\[|<!--|<\?|<!(?:DOCTYPE|ENTITY)|<(?:[\w.-]{1,50}:)?testsuites?(?=[\s>/])|<\/(?:[\w.-]{1,50}:)?testsuites?\s{0,100}>/g;
/** A document type whose name follows; a page of HTML that a test printed has another. */
const DOCTYPE = /<!DOCTYPE(?!\s{1,100}html)\s{1,100}(testsuites?\b)?/iy;
const HAS_DTD = "a JUnit report has a DTD, which is not read";

/** How pytest names its only suite, unless it is told another name. */
const PYTEST = /<testsuites?\s(?:[^>]{0,200}\s)?name="pytest(?: tests)?"/;

/**
 * Reads JUnit's XML in the dialects of Maven, Gradle, pytest, node:test, Jest, Vitest, Mocha and others
 * (https://github.com/testmoapp/junitxml) where it begins, which is the first thing that is no blank. A document that is
 * cut off, broken, too large or has a DTD gives no tests and a problem: it proves nothing. The places asked for must not go down.
 */
export function junitAt(text: string): (start: number) => FoundJunit {
  const prologAt = prologReader(text);
  return (start) => {
    const { root, end, has_doctype } = prologAt(start);
    if (root === null) {
      const names_report = has_doctype === "of a report";
      return { document: names_report ? testDocument("junit", [], [HAS_DTD]) : null, end };
    }
    const span = documentEnd(text, root);
    return { document: readDocument(text, root, span, has_doctype !== "no"), end: span.end };
  };
}

interface Prolog {
  /** Where the root element of a report begins; null when something else stands there. */
  root: number | null;
  /** Just after the last comment, instruction or document type. */
  end: number;
  has_doctype: "no" | "of a report" | "of another document";
}

/** Reads what may stand before a root element (https://www.w3.org/TR/xml/#NT-prolog). */
function prologReader(text: string): (start: number) => Prolog {
  const ends = {
    "<?": forwardSearch(text, /\?>/g),
    "<!--": forwardSearch(text, /-->/g),
    doctype: forwardSearch(text, /[[>]/g),
    subset: forwardSearch(text, /\]\s{0,100}>/g),
  };
  const itemEnd = (at: number) => {
    if (text.startsWith("<?", at)) return ends["<?"](at + 2).end;
    if (text.startsWith("<!--", at)) return ends["<!--"](at + 4).end;
    if (!/^<!doctype\s/i.test(text.slice(at, at + 10))) return Number.POSITIVE_INFINITY;
    const opened = ends.doctype(at);
    return text[opened.start] === "[" ? ends.subset(opened.start).end : opened.end;
  };
  return (start) => {
    let end = start;
    let has_doctype: Prolog["has_doctype"] = "no";
    for (;;) {
      const at = skipBlanks(text, end);
      ROOT_HERE.lastIndex = at;
      if (ROOT_HERE.test(text)) return { root: at, end, has_doctype };
      const item_end = itemEnd(at);
      if (item_end === Number.POSITIVE_INFINITY) return { root: null, end, has_doctype };
      DOCTYPE.lastIndex = at;
      const doctype = DOCTYPE.exec(text);
      if (doctype) has_doctype = doctype[1] === undefined ? "of another document" : "of a report";
      end = item_end;
    }
  };
}

function skipBlanks(text: string, from: number): number {
  let index = from;
  while (BLANK.has(text[index] ?? "")) index++;
  return index;
}

const BLANK = new Set([" ", "\t", "\n", "\r", "\ufeff"]);

interface Span {
  end: number;
  problem: string | null;
}

/** Where the element that opens at `start` is closed; comments, CDATA and instructions passed over. */
function documentEnd(text: string, start: number): Span {
  let depth = 0;
  MARK.lastIndex = start;
  for (let mark = MARK.exec(text); mark; mark = MARK.exec(text)) {
    const [tag] = mark;
    if (tag === "<![CDATA[" || tag === "<!--" || tag === "<?") {
      const close = tag === "<!--" ? "-->" : tag === "<?" ? "?>" : "]]>";
      const end = text.indexOf(close, mark.index + tag.length);
      if (end < 0) break;
      MARK.lastIndex = end + close.length;
    } else if (tag.startsWith("<!")) {
      return { end: mark.index + tag.length, problem: HAS_DTD };
    } else if (tag.startsWith("</")) {
      if (--depth <= 0) return { end: MARK.lastIndex, problem: null };
    } else {
      const end = tagEnd(text, MARK.lastIndex);
      if (end < 0) break;
      MARK.lastIndex = end;
      if (text[end - 2] !== "/") depth++;
      else if (depth === 0) return { end, problem: null };
      if (depth > DEPTH_REFUSED) {
        return { end: text.length, problem: `a JUnit report nests more than ${DEPTH_REFUSED} suites` };
      }
    }
  }
  return { end: text.length, problem: "a JUnit report is cut off: its end is missing" };
}

/** Just after a tag's `>`; values in quotes may hold one. */
function tagEnd(text: string, from: number): number {
  let quote = "";
  for (let index = from; index < text.length; index++) {
    const character = text[index] ?? "";
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ">") return index + 1;
  }
  return -1;
}

function readDocument(
  text: string,
  start: number,
  { end, problem }: Span,
  has_doctype: boolean,
): TestDocument {
  const refused = (why: string) => testDocument("junit", [], [why]);
  if (has_doctype) return refused(HAS_DTD);
  if (problem) return refused(problem);
  if (end - start > XML_CHARACTERS_MAX) {
    return refused(`a JUnit report has more than ${XML_CHARACTERS_MAX} characters`);
  }
  try {
    const by_pytest = PYTEST.test(text.slice(start, start + 400));
    const { cases, problems } = readJunitCases(parser.parse(text.slice(start, end), true), {
      claims_checked: !by_pytest,
    });
    return { ...testDocument("junit", cases, problems), ...(by_pytest && { producer: "pytest" }) };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "it is no XML";
    return refused(`a JUnit report cannot be read: ${why}`);
  }
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  attributesGroupName: "$",
  parseTagValue: false,
  parseAttributeValue: false,
  // Also numeric references, which Mocha writes; there is no DTD that could define more.
  htmlEntities: true,
  processEntities: {
    enabled: true,
    maxExpandedLength: XML_CHARACTERS_MAX,
    maxTotalExpansions: XML_CHARACTERS_MAX,
  },
  isArray: (name) => JUNIT_ELEMENTS.has(name),
  transformTagName: (name) => name.slice(name.indexOf(":") + 1).toLowerCase(),
});
