import type { OutboundRules } from "#schemas/config/outbound.ts";

const CHARACTERS_MAX = 2048;

/**
 * A submitter's URL as every parser reads it: host in lower case, in ASCII and without a trailing dot,
 * numbers in the host written as an address, no fragment. Use its `href` and never the text itself:
 * two parsers that read one text differently are a way around any check.
 */
export function readUrl(
  text: string,
  { schemes }: Pick<OutboundRules, "schemes">,
): { url: URL } | { problem: string } {
  if (text.length > CHARACTERS_MAX) return { problem: `it has more than ${CHARACTERS_MAX} characters` };
  // URL drops line breaks and what surrounds the text; nobody writes them but to be read differently.
  if (/[\s\p{Cc}\\]/u.test(text)) {
    return { problem: "it has blanks, control characters or backslashes in it" };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(schemes as string[]).includes(url.protocol.slice(0, -1))) {
    return { problem: `it is no ${schemes.join(" or ")} URL` };
  }
  if (url.username !== "" || url.password !== "") {
    return { problem: "it has credentials in it, which would be stored" };
  }
  url.hash = "";
  url.hostname = url.hostname.replace(/\.$/, "");
  return { url };
}
