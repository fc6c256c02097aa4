import { z } from "zod";

const CHARACTER = "[^/\\\\[\\]{}()!|<>\"'`$\\u0000-\\u001f\\u007f-\\u009f]";
const NAME = `\\.?${CHARACTER.replace("[^", "[^.")}${CHARACTER}*`;
/** Names between slashes, none of which begins with `..`. No look-ahead: some readers of JSON Schema have none. */
const REPORT_GLOB = new RegExp(`^(?:\\./)?${NAME}(?:/${NAME})*$`);

/**
 * A pattern of paths below the tree: `*` within a name, `?` for one character, `**` for any directories.
 * Characters that mean more to a shell are refused, so that no pattern is taken for what it is not.
 */
export const ReportGlob = z
  .string()
  .min(1)
  .max(256)
  .regex(
    REPORT_GLOB,
    "a path below the tree, with *, ? and ** as wildcards; no .., no leading /, no other wildcards",
  );

export const ReportGlobs = z
  .array(ReportGlob)
  .min(1)
  .max(20)
  .describe("report files to read beside the usual ones, for example out/*-junit.xml");
