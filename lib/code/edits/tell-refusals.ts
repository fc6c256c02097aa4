import type { EditOutcome, NearbyLines, RefusedEdit } from "#schemas/edits.ts";

/** Of what is said about all refused edits together. */
const CHARACTERS_MAX = 24_000;

/**
 * The text form, as a model without tool calls is told to write it; docs/reference/edits.md has the same.
 */
export const TEXT_FORM = `Write each edit as the path of the file on a line of its own, then a block. Say nothing else between path and block.

To replace text, copy it from the file exactly, with its indentation, whole lines, enough of them to occur once:

src/greet.js
<<<<<<< SEARCH
  return "hello";
=======
  return \`hello, \${name}\`;
>>>>>>> REPLACE

Where the same lines occur several times and all are meant, say how often: <<<<<<< SEARCH occurrences=3

To make a new file, or to replace all of a file that you were shown whole:

src/new.js
<<<<<<< FILE
export const one = 1;
>>>>>>> FILE

To delete a file, and to rename one:

src/old.js
<<<<<<< DELETE
>>>>>>> DELETE

src/name.js
<<<<<<< RENAME
src/new-name.js
>>>>>>> RENAME

Edits are applied in the order in which you write them. Where the text itself has a line such as =======, write all markers of that block with more characters, as many in each: <<<<<<<<< SEARCH, =========, >>>>>>>>> REPLACE.
`;

/**
 * What is said to the model about the refused edits: each with its code, why, and the nearby lines, then the
 * files that it is asked to send whole. Empty when nothing was refused. The others were accepted and are not
 * to be sent again.
 */
export function tellRefusals({ accepted, refused, whole_files_wanted }: EditOutcome): string {
  if (refused.length === 0) return "";
  const sections: string[] = [];
  let characters = 0;
  for (const edit of refused) {
    const section = sectionOf(edit);
    characters += section.length;
    if (characters > CHARACTERS_MAX) {
      sections.push(
        `${refused.length - sections.length} more edits were refused; they are told after these are mended.`,
      );
      break;
    }
    sections.push(section);
  }
  const kept =
    accepted.length > 0
      ? `${count(accepted.length)} accepted: do not send ${accepted.length === 1 ? "it" : "them"} again. `
      : "";
  const wanted = whole_files_wanted.map(
    (path) => `Edits of ${path} were refused too often. Send the whole file instead, as it is to be.`,
  );
  return [
    `${kept}${count(refused.length)} refused. Send only what replaces the refused ones.`,
    ...sections,
    ...wanted,
  ].join("\n\n");
}

function count(edits: number): string {
  return edits === 1 ? "1 edit was" : `${edits} edits were`;
}

function sectionOf({ number, code, message, nearby }: RefusedEdit): string {
  return [`Edit ${number}: ${code}. ${message}`, ...nearby.map(linesOf)].join("\n");
}

function linesOf({ from_line, lines }: NearbyLines): string {
  const last = from_line + lines.length - 1;
  let fence = "```";
  while (lines.some((line) => line.includes(fence))) fence += "`";
  return [`Lines ${from_line} to ${last} of the file:`, fence, ...lines, fence].join("\n");
}
