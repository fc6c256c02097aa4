import type { OutboundRules } from "#schemas/config/outbound.ts";

const CHARACTERS_MAX = 2048;

/**
 * Normalizes a submitter's URL: host in lower-case ASCII without a trailing dot, numeric hosts written as addresses,
 * no fragment. Use its `href`, never the original text: a second parser could read the text differently and so bypass
 * the checks.
 */
export function readUrl(
  text: string,
  { schemes }: Pick<OutboundRules, "schemes">,
): { url: URL } | { problem: string } {
  if (text.length > CHARACTERS_MAX) return { problem: `it has more than ${CHARACTERS_MAX} characters` };
  // URL silently drops line breaks and surrounding blanks; in a submitted URL they are refused instead.
  if (/[\s\p{Cc}\\]/u.test(text)) {
    return { problem: "it contains blanks, control characters or backslashes" };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(schemes as string[]).includes(url.protocol.slice(0, -1))) {
    return { problem: `it is not an ${schemes.join(" or ")} URL` };
  }
  if (url.username !== "" || url.password !== "") {
    return { problem: "it contains credentials, which would be stored" };
  }
  url.hash = "";
  url.hostname = url.hostname.replace(/\.$/, "");
  return { url };
}
