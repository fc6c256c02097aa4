import { posix } from "node:path";
import { type NapiConfig, parse } from "@ast-grep/napi";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { describeIssues } from "#schemas/issue-sentence.ts";

const RULES_MAX = 100;
const RULES_CHARACTERS_MAX = 256 * 1024;
/** The matcher recurses natively; deeper rules could end the process instead of failing. */
const RULE_DEPTH_MAX = 48;
/** The pattern parser recurses too. Patterns for real code are far below this. */
const BRACKET_DEPTH_MAX = 200;

interface CodemodLanguage {
  /** As `@ast-grep/napi` calls it. */
  name: string;
  /** Other names that ast-grep's YAML knows it by, in lower case. */
  aliases: readonly string[];
  extensions: readonly string[];
}

/** The languages built into `@ast-grep/napi`, with ast-grep's own file extensions. */
const LANGUAGES: readonly CodemodLanguage[] = [
  { name: "JavaScript", aliases: ["javascript", "js", "jsx"], extensions: [".js", ".mjs", ".cjs", ".jsx"] },
  { name: "TypeScript", aliases: ["typescript", "ts"], extensions: [".ts", ".mts", ".cts"] },
  { name: "Tsx", aliases: ["tsx"], extensions: [".tsx"] },
  { name: "Html", aliases: ["html"], extensions: [".html", ".htm", ".xhtml"] },
  { name: "Css", aliases: ["css"], extensions: [".css"] },
];

/** A fix as ast-grep writes it: https://ast-grep.github.io/reference/yaml/fix.html */
interface CodemodFix {
  template: string;
  /** A sibling before or after the match that is replaced together with it. */
  expand_start: Expansion | undefined;
  expand_end: Expansion | undefined;
}

interface Expansion {
  matcher: NapiConfig;
  /** `neighbor`: only the next sibling; `end`: the first sibling that matches. */
  stop_by: "neighbor" | "end";
}

export interface CodemodRule {
  id: string;
  language: CodemodLanguage;
  matcher: NapiConfig;
  fix: CodemodFix;
  /** Undefined: every file of the language. */
  files: ((path: string) => boolean)[] | undefined;
  ignores: ((path: string) => boolean)[];
}

const Mapping = z.record(z.string(), z.unknown());
const Globs = z.array(z.string().min(1).max(512)).max(100);

const ExpansionRule = z.looseObject({ stopBy: z.enum(["neighbor", "end"]).default("neighbor") });
const Template = z.string().max(64 * 1024);
const Fix = z.union(
  [
    Template.transform((template) => ({ template, expandStart: undefined, expandEnd: undefined })),
    z.strictObject({
      template: Template,
      expandStart: ExpansionRule.optional(),
      expandEnd: ExpansionRule.optional(),
    }),
  ],
  {
    error: "must be a text of up to 65,536 characters, or a mapping with template, expandStart and expandEnd",
  },
);

/** The part of ast-grep's rule file that rewriting uses. Fields for lint reports are accepted and ignored. */
const RuleFile = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/)
    .refine((id) => id !== "__proto__"),
  language: z.string().min(1).max(64),
  rule: Mapping,
  constraints: Mapping.optional(),
  utils: Mapping.optional(),
  transform: Mapping.optional(),
  fix: Fix,
  files: Globs.optional(),
  ignores: Globs.optional(),
  message: z.string().optional(),
  note: z.string().optional(),
  severity: z.string().optional(),
  labels: Mapping.optional(),
  url: z.string().optional(),
  metadata: z.unknown().optional(),
});

/**
 * Reads ast-grep rules, separated by `---`, and tries each on an empty file.
 *
 * @throws RejectedInput `CODEMOD_RULES_INVALID` naming the rule, `CODEMOD_LANGUAGE_UNSUPPORTED`
 */
export function parseRules(text: string): CodemodRule[] {
  if (text.length > RULES_CHARACTERS_MAX)
    throw invalid(`they have more than ${RULES_CHARACTERS_MAX} characters`);
  const values = readDocuments(text);
  if (values.length === 0) throw invalid("there is none");
  if (values.length > RULES_MAX) throw invalid(`there are more than ${RULES_MAX}`);
  const rules = values.map((value, index) => readRule(value, index + 1));
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) throw invalid(`two have the id ${id}`);
    ids.add(id);
  }
  return rules;
}

/**
 * Refuses rules that could not be applied to any file.
 *
 * @throws what `parseRules` throws
 */
export function checkRules(text: string): void {
  parseRules(text);
}

function readDocuments(text: string): unknown[] {
  try {
    const documents = parseAllDocuments(text, { uniqueKeys: true });
    return [...documents].flatMap((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      return value === null ? [] : [value];
    });
  } catch (cause) {
    if (cause instanceof RangeError) throw invalid("they nest too deeply", cause); // the reader's stack
    throw invalid(`they are not YAML: ${messageOf(cause)}`, cause);
  }
}

function readRule(value: unknown, position: number): CodemodRule {
  checkDepth(value, position);
  const parsed = RuleFile.safeParse(value);
  if (!parsed.success) {
    const id = Mapping.safeParse(value).data?.id;
    const name = typeof id === "string" ? `rule ${id.slice(0, 100)}` : `rule ${position}`;
    throw invalid(`${name}: ${describeIssues(parsed.error)}`, parsed.error);
  }
  const { id, fix, files, ignores } = parsed.data;
  const language = codemodLanguage(parsed.data.language, id);
  const matcher = matcherOf(parsed.data);
  tryMatcher(matcher, language, id);
  checkVariables(id, fix.template, matcher);
  const { template, expandStart, expandEnd } = fix;
  const expansion = (wanted: typeof expandStart) => wanted && expansionOf(wanted, language, id);
  const made = { template, expand_start: expansion(expandStart), expand_end: expansion(expandEnd) };
  return {
    id,
    language,
    matcher,
    fix: made,
    files: files?.map(globOf),
    ignores: (ignores ?? []).map(globOf),
  };
}

function matcherOf({ rule, constraints, utils, transform }: z.infer<typeof RuleFile>): NapiConfig {
  return {
    rule,
    ...(constraints ? { constraints } : {}),
    ...(utils ? { utils } : {}),
    ...(transform ? { transform } : {}),
  } as NapiConfig;
}

/** Runs the matcher on an empty file, so that ast-grep reports what is wrong with it. */
function tryMatcher(matcher: NapiConfig, language: CodemodLanguage, id: string): void {
  try {
    parse(language.name, "").root().findAll(matcher);
  } catch (cause) {
    throw invalid(`rule ${id}: ${messageOf(cause)}`, cause);
  }
}

function expansionOf(
  { stopBy, ...rule }: z.infer<typeof ExpansionRule>,
  language: CodemodLanguage,
  id: string,
): Expansion {
  const matcher = { rule } as NapiConfig;
  tryMatcher(matcher, language, `${id}, fix`);
  return { matcher, stop_by: stopBy };
}

export const VARIABLE = /(\$\$\$|\$\$?)([A-Z_][A-Z0-9_]*)/g;

interface TemplateVariable {
  text: string;
  name: string;
}

/** The metavariables in a template or pattern: `$A`, `$$A` and `$$$ARGS`. */
function templateVariables(template: string): TemplateVariable[] {
  return [...template.matchAll(VARIABLE)].map(([text, , name = ""]) => ({ text, name }));
}

/** Refuses a template variable that nothing captures; ast-grep would replace it by an empty text. */
function checkVariables(id: string, fix: string, matcher: NapiConfig): void {
  const { transform, ...patterns } = matcher;
  const captured = new Set(templateVariables(JSON.stringify(patterns)).map(({ name }) => name));
  for (const name of Object.keys((transform as Record<string, unknown> | undefined) ?? {}))
    captured.add(name);
  const unknown = templateVariables(fix).find(({ name }) => name.startsWith("_") || !captured.has(name));
  if (unknown !== undefined)
    throw invalid(`rule ${id}: fix uses ${unknown.text}, which the rule does not capture`);
}

function checkDepth(value: unknown, position: number, depth = 0): void {
  if (typeof value === "string" && bracketDepth(value) > BRACKET_DEPTH_MAX) {
    throw invalid(
      `rule ${position} has a pattern with brackets nested deeper than ${BRACKET_DEPTH_MAX} levels`,
    );
  }
  if (typeof value !== "object" || value === null) return;
  if (depth > RULE_DEPTH_MAX)
    throw invalid(`rule ${position} is nested deeper than ${RULE_DEPTH_MAX} levels`);
  for (const child of Object.values(value)) checkDepth(child, position, depth + 1);
}

function globOf(glob: string): (path: string) => boolean {
  const pattern = glob.replace(/^\.\//, "");
  return (path) => posix.matchesGlob(path, pattern);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(0, 500);
}

function invalid(problem: string, cause?: unknown): RejectedInput {
  return new RejectedInput(
    "CODEMOD_RULES_INVALID",
    `The codemod's rules cannot be used: ${problem.replace(/\.+$/, "")}. Each needs id, language, rule and fix; see https://ast-grep.github.io/reference/yaml.html.`,
    { cause },
  );
}

/** @throws RejectedInput `CODEMOD_LANGUAGE_UNSUPPORTED` */
function codemodLanguage(name: string, rule_id: string): CodemodLanguage {
  const language = LANGUAGES.find(({ aliases }) => aliases.includes(name.toLowerCase()));
  if (language !== undefined) return language;
  throw new RejectedInput(
    "CODEMOD_LANGUAGE_UNSUPPORTED",
    `Rule ${rule_id} is for ${JSON.stringify(name)}; supported are ${LANGUAGES.map((known) => known.name).join(", ")}. Send the change as a patch instead.`,
  );
}

function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
