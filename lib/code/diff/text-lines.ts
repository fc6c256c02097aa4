import { isUtf8 } from "node:buffer";

/** Lines with their endings. A line ends at `\n` only, so a `\r` before it is part of the line. */
export function textLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Whether a line diff can carry these bytes unchanged: UTF-8 without a NUL. */
export function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}
