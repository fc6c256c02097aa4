import { RejectedInput } from "#lib/platform/errors/fault.ts";

export interface CodemodLanguage {
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

/** @throws RejectedInput `CODEMOD_LANGUAGE_UNSUPPORTED` */
export function codemodLanguage(name: string, rule_id: string): CodemodLanguage {
  const language = LANGUAGES.find(({ aliases }) => aliases.includes(name.toLowerCase()));
  if (language !== undefined) return language;
  throw new RejectedInput(
    "CODEMOD_LANGUAGE_UNSUPPORTED",
    `Rule ${rule_id} is for ${JSON.stringify(name)}; supported are ${LANGUAGES.map((known) => known.name).join(", ")}. Send the change as a patch instead.`,
  );
}
