import { lstatSync, readFileSync } from "node:fs";
import { UsageError } from "../cli-error.ts";
import { compileGlob, type Glob } from "./glob.ts";

/** One line of a `.gitignore`. */
interface Rule {
  glob: Glob;
  negated: boolean;
  directories_only: boolean;
  /** Compared with the whole path below its file's directory, not with the last name of it. */
  whole_path: boolean;
}

/** The rules of one file, for what lies below one directory. */
export interface RuleFile {
  /** Below the root of the work tree, with slashes; empty for the root. */
  base: string;
  rules: Rule[];
}

const BYTES_MAX = 1_000_000;

/**
 * Reads a file of ignore rules; none where there is no such file, or it is a link, which git does not follow
 * either.
 *
 * @throws UsageError when it is too large
 */
export function readRules(file: string, base: string): RuleFile {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) return { base, rules: [] };
  if (stats.size > BYTES_MAX) throw new UsageError(`${file} is larger than ${BYTES_MAX} bytes.`);
  const lines = readFileSync(file, "utf8")
    .replace(/^\ufeff/, "")
    .split("\n");
  return { base, rules: lines.map(parseRule).filter((rule) => rule !== undefined) };
}

function parseRule(given: string): Rule | undefined {
  let pattern = withoutTrailingSpaces(given.replace(/\r$/, ""));
  if (pattern === "" || pattern.startsWith("#")) return undefined;
  const negated = pattern.startsWith("!");
  if (negated) pattern = pattern.slice(1);
  const directories_only = pattern.endsWith("/");
  if (directories_only) pattern = pattern.slice(0, -1);
  const whole_path = pattern.includes("/");
  if (pattern.startsWith("/")) pattern = pattern.slice(1);
  if (pattern === "") return undefined;
  return { glob: compileGlob(pattern), negated, directories_only, whole_path };
}

/** A space that is escaped stays. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (line.charAt(end - 1) === " " && line.charAt(end - 2) !== "\\") end -= 1;
  return line.slice(0, end);
}

/**
 * Whether the rules ignore a path below the root of the work tree, whose parents none of them ignores. `files`
 * are in rising order of precedence; within a file the last line that matches decides.
 */
export function isIgnored(files: readonly RuleFile[], path: string, is_directory: boolean): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  for (const { base, rules } of files.toReversed()) {
    const below = base === "" ? path : path.slice(base.length + 1);
    const rule = rules.findLast(
      ({ glob, directories_only, whole_path }) =>
        (is_directory || !directories_only) && glob(whole_path ? below : name),
    );
    if (rule !== undefined) return !rule.negated;
  }
  return false;
}
