// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is removed here.
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** Text without terminal colours and cursor movements (ECMA-48 control sequences). */
export function stripAnsi(text: string): string {
  return text.replace(ANSI, "");
}
