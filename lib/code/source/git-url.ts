import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

/**
 * The URL as every parser reads it. Git gets this text and not the submitter's.
 *
 * @throws RejectedInput `GIT_URL_INVALID`: of another scheme than those allowed, or with credentials in it
 */
export function gitUrl(text: string, rules: Pick<OutboundRules, "schemes">): URL {
  const read = readUrl(text, rules);
  if ("url" in read) return read.url;
  throw new RejectedInput(
    "GIT_URL_INVALID",
    `The git source's URL cannot be used: ${read.problem}. Give the clone URL of a public repository, such as https://example.org/team/project.git.`,
  );
}

/**
 * @throws RejectedInput `GIT_REF_INVALID` for what no branch, tag or commit is called (git
 * check-ref-format), so that it can be neither an option nor a refspec.
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
