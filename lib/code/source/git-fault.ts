import { type Fault, RejectedInput, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";

/** What git's last words (in the C locale) mean for a fetch of `ref` from `url`. */
export function gitFault(stderr: string, url: string, ref: string): Fault {
  const words = lastLine(stderr);
  // What the server says comes after "remote:" or "remote error:".
  if (/^(?:fatal|error): (?!remote).*out of memory/im.test(stderr)) {
    return new RejectedInput(
      "GIT_MEMORY_LIMIT",
      `git took more memory on what ${url} answers than it may. Pack the part that is needed and upload it, or raise git.memory_bytes_max in configs/computation_limits.json.`,
    );
  }
  if (/Operation too slow/i.test(words)) {
    return new RejectedInput(
      "GIT_TIME_LIMIT",
      `${url} sends less than 1000 bytes a second. Try a faster mirror, or pack the tree and upload it.`,
    );
  }
  if (/couldn't find remote ref|not our ref|unadvertised object/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REF_NOT_FOUND",
      `${url} has no branch, tag or commit ${JSON.stringify(ref)}. Commits need all 40 digits and must be on a branch or tag.`,
    );
  }
  if (/could not read (Username|Password)|returned error: 40[13]|Authentication failed/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `${url} asks for credentials; only public repositories can be fetched. Pack the tree and upload it instead.`,
    );
  }
  if (/returned error: 3\d\d|unable to update url base|redirect/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `${url} answers with a redirect, which is not followed. Give the final URL.`,
    );
  }
  if (/not found|returned error: 4(0[0-79]|1)\d?|not valid: is this a git repository/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `There is no git repository at ${url} (${words}). Check the URL.`,
    );
  }
  if (/dumb http transport/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `${url} serves git by the dumb protocol only, which cannot fetch a single revision. Pack the tree and upload it instead.`,
    );
  }
  if (/is not a git command|Unable to find remote helper/i.test(stderr)) return gitUnavailable(stderr);
  return new RetryableFault(
    "GIT_REPOSITORY_UNREACHABLE",
    `Fetching ${url} failed: ${words}. It is tried again.`,
  );
}

export function gitUnavailable(cause: unknown): TerminalFault {
  return new TerminalFault(
    "GIT_UNAVAILABLE",
    "The git program is not installed where this function runs, or cannot speak https. Use the container image, or upload the tree.",
    { cause },
  );
}

function lastLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return (lines.find((line) => line.startsWith("fatal:")) ?? lines.at(-1) ?? "git said nothing")
    .replace(/^fatal:\s*/, "")
    .slice(0, 300);
}

export function unreadableObjects(words: string): RetryableFault {
  return new RetryableFault(
    "GIT_OBJECTS_UNREADABLE",
    `git could not read what it fetched (${words.trim().slice(0, 300)}). It is fetched again.`,
  );
}
