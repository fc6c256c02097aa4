import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

/**
 * What a git source names, checked without any request: the gateway refuses by it before anything is stored, the fetch
 * works with it. Git gets the URL's normal form and not the submitter's text.
 *
 * @throws RejectedInput `GIT_URL_INVALID` for a scheme that is not allowed, or credentials in the URL;
 * `GIT_REF_INVALID`
 */
export function readGitSource(
  { url: text, ref = "HEAD" }: { url: string; ref?: string | undefined },
  rules: Pick<OutboundRules, "schemes">,
): { url: URL; ref: string } {
  const read = readUrl(text, rules);
  if ("problem" in read) {
    throw new RejectedInput(
      "GIT_URL_INVALID",
      `The git source's URL cannot be used: ${read.problem}. Give the clone URL of a public repository, such as https://example.org/team/project.git.`,
    );
  }
  checkGitRef(ref);
  return { url: read.url, ref };
}

/**
 * @throws RejectedInput `GIT_REF_INVALID` for text that cannot name a branch, tag or commit (git
 * check-ref-format), so that git takes it neither for an option nor for a refspec
 */
export function checkGitRef(ref: string): void {
  const valid =
    /^(?![-./@+^])[^\s~^:?*[\\\p{Cc}]+$/u.test(ref) && !/\.\.|@\{|\/\/|\.lock(\/|$)|[./]$/.test(ref);
  if (valid) return;
  throw new RejectedInput(
    "GIT_REF_INVALID",
    `${JSON.stringify(ref)} cannot be a git ref. Give a branch, a tag or a full 40-digit commit id.`,
  );
}
