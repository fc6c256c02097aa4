/** Escape sequences of terminals, and control characters but tab: https://ecma-international.org/publications-and-standards/standards/ecma-48/ */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const CONTROLS = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b[@-_]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Characters that change the order in which a line reads, or cannot be seen: https://trojansource.codes */
const MISLEADING = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A text as it reads, without what would colour, hide or reorder it. */
export function readable(text: string): string {
  return text.replace(CONTROLS, "").replace(MISLEADING, (character) => {
    return `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}
