/** The CLI's own error codes with their meaning; docs/reference/errors.md lists them beside those of the API. */
export const CLI_CODES = {
  ANSWER_NOT_UNDERSTOOD: "The API's answer does not match its schema: the CLI and the API differ in version.",
  APPLY_FAILED: "A file of the patch could not be written. What was written before it was put back.",
  ARGUMENTS_INVALID:
    "The arguments of an MCP tool do not match its input schema. Nothing was asked of the API.",
  ARTIFACT_DAMAGED: "A downloaded artifact has another SHA-256 than its listing.",
  ARTIFACT_PATH_UNSAFE: "An artifact's path leads out of the directory it is to be written to.",
  ARTIFACT_TOO_LARGE: "An artifact is larger than the MCP server reads. The command line fetches it.",
  BRANCH_EXISTS: "The branch that was to be made is there already.",
  CREDENTIALS_UNREADABLE: "The credentials file holds no URL and key.",
  DIRECTORY_OUTSIDE:
    "A directory that an MCP client wants to submit is outside of the one the server was started for.",
  FILES_DIFFER: "Files that the patch changes differ from what the task was given. Nothing was changed.",
  GIT_FAILED: "A git command on this machine failed.",
  GIT_MISSING: "git is needed and not installed on this machine.",
  NOTHING_TO_COMMIT: "The commit that is checked out has the patch already.",
  NOT_A_REPOSITORY: "A branch is to be made, and the directory is in no git work tree that has a commit.",
  NOT_CONFIRMED: "The question was not answered with yes, or nobody could be asked. Nothing was changed.",
  NO_KEY: "There is no key for the API.",
  NO_LOGS: "The task has no logs.",
  NO_PATCH: "The task has no patch.",
  NO_SETTINGS: "It is not known which API to call.",
  NO_STACK_LOG: "There is no log of a local stack on this machine.",
  REMOTE_UNKNOWN: "The repository has no remote of that name.",
  REPOSITORY_NOT_INDEXED: "Nothing is indexed under the repository's name.",
  TASK_OVERDUE: "The task has not ended ten minutes after its deadline.",
  TASK_UNDER_WAY: "The task has not ended, so its patch may still change.",
  TOOL_UNKNOWN: "The MCP server has no tool of that name.",
  UNEXPECTED: "An error that no code describes.",
  UNREACHABLE: "The API did not answer.",
  UPLOAD_REFUSED: "The upload of the source archive was refused.",
  USAGE: "The command line is wrong.",
  VERDICT_NOT_PASSED: "The task did not pass, and its patch was not forced.",
  WRITE_NOT_ALLOWED: "An MCP tool changes something, and the server was started without --allow-write.",
} as const;

export type CliCode = keyof typeof CLI_CODES;
