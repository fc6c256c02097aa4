import { readGitSource } from "#lib/code/source/git-source.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { Workflow } from "#schemas/config/workflows.ts";
import type { Submission } from "#schemas/messages/submission.ts";

/** Fields of a submission that only some workflows take. */
const OPTIONAL_FIELDS = [
  "change",
  "install",
  "build",
  "test",
  "reports",
  "require_tests",
  "command",
] as const satisfies (keyof Submission)[];

/**
 * Refuses a submission without a field that its workflow needs, or with one that no step of it reads: what a
 * submitter asked for is done or refused, never dropped.
 *
 * @throws HttpError 422 `FIELD_REQUIRED`, `FIELD_UNUSED`
 */
export function checkFields(submission: Submission, { requires, steps }: Workflow): void {
  const { workflow } = submission;
  const missing = requires.filter((field) => submission[field] === undefined);
  if (missing.length > 0) {
    throw new HttpError(
      422,
      "FIELD_REQUIRED",
      `workflow ${workflow} needs ${missing.join(" and ")}`,
      missing.map((field) => ({ path: `/${field}`, message: `needed by workflow ${workflow}` })),
    );
  }
  const read = new Set(
    steps.flatMap(({ input }) => Object.values(input).flatMap((places) => places.split("|").map(trimmed))),
  );
  const unused = OPTIONAL_FIELDS.filter((field) => submission[field] !== undefined && !read.has(field));
  if (unused.length > 0) {
    throw new HttpError(
      422,
      "FIELD_UNUSED",
      `workflow ${workflow} takes no ${unused.join(" and no ")}: leave it out, or submit to a workflow that takes it`,
      unused.map((field) => ({ path: `/${field}`, message: `no step of workflow ${workflow} reads it` })),
    );
  }
}

const trimmed = (place: string) => place.trim();

/**
 * Refuses a git source that no fetch would take, so that it is not stored, nor a password in its URL.
 *
 * @throws RejectedInput `GIT_URL_INVALID`, `GIT_REF_INVALID`
 */
export function checkSource({ source }: Submission, rules: Pick<OutboundRules, "schemes">): void {
  if (source.kind === "git") readGitSource(source, rules);
}
