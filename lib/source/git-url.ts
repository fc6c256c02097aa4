import { RejectedInput } from "#lib/errors/fault.ts";

/**
 * The URL as every parser reads it: host lower-case and without a trailing dot, numbers in the
 * host written as an address. Git gets this text and not the submitter's.
 *
 * @throws RejectedInput `GIT_URL_INVALID`: not http(s), or with credentials in it
 */
export function gitUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw invalid(`${JSON.stringify(text)} is not an http(s) URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid("the URL has credentials in it, which would be stored with the task");
  }
  url.hash = "";
  url.hostname = url.hostname.replace(/\.$/, "");
  return url;
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

function invalid(reason: string): RejectedInput {
  return new RejectedInput(
    "GIT_URL_INVALID",
    `The git source cannot be used: ${reason}. Give the clone URL of a public repository, such as https://example.org/team/project.git.`,
  );
}
