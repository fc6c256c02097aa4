import type { CodesByStatus } from "#lib/platform/errors/codes.ts";

/** A submission that passes on a fresh stage. */
export const EXAMPLE = {
  workflow: "run",
  source: { kind: "inline", files: { "hello.sh": "echo hello" } },
  command: "sh hello.sh",
  profile: "trusted",
};

/** What can be wrong with a submission beyond its form. */
export const SUBMISSION_CODES: CodesByStatus = {
  400: ["IDEMPOTENCY_KEY_INVALID"],
  403: ["WORKFLOW_NOT_ALLOWED", "PROFILE_NOT_ALLOWED"],
  409: ["IDEMPOTENCY_KEY_EXPIRED"],
  413: ["ARCHIVE_TOO_LARGE"],
  422: [
    "ARCHIVE_EMPTY",
    "CODEMOD_LANGUAGE_UNSUPPORTED",
    "CODEMOD_RULES_INVALID",
    "COMPUTATION_CRASHED",
    "COMPUTATION_MEMORY_LIMIT",
    "COMPUTATION_OUTPUT_LIMIT",
    "COMPUTATION_TIME_LIMIT",
    "DIFF_BINARY_UNSUPPORTED",
    "DIFF_EMPTY",
    "DIFF_FORMAT_UNSUPPORTED",
    "DIFF_MALFORMED",
    "DIFF_PATH_UNSAFE",
    "DIFF_STRIP_UNCLEAR",
    "DIFF_TOO_LARGE",
    "FIELD_REQUIRED",
    "IDEMPOTENCY_MISMATCH",
    "MODEL_NOT_CONFIGURED",
    "PROFILE_UNKNOWN",
    "SOURCE_PATH_UNSAFE",
    "SOURCE_TOO_LARGE",
    "SOURCE_TOO_MANY_FILES",
    "UPLOAD_EXPIRED",
    "UPLOAD_NOT_FOUND",
    "WORKFLOW_UNKNOWN",
  ],
  503: ["CHECK_UNAVAILABLE"],
};
