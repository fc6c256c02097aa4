/** The CLI's own error codes with their meaning; docs/reference/errors.md lists them beside those of the API. */
export const CLI_CODES = {
  ANSWER_NOT_UNDERSTOOD: "The API's answer does not match its schema: the CLI and the API differ in version.",
  ARTIFACT_DAMAGED: "A downloaded artifact has another SHA-256 than its listing.",
  ARTIFACT_PATH_UNSAFE: "An artifact's path leads out of the directory it is to be written to.",
  CREDENTIALS_UNREADABLE: "The credentials file holds no URL and key.",
  NO_KEY: "There is no key for the API.",
  NO_LOGS: "The task has no logs.",
  NO_SETTINGS: "It is not known which API to call.",
  REPOSITORY_NOT_INDEXED: "Nothing is indexed under the repository's name.",
  TASK_OVERDUE: "The task has not ended ten minutes after its deadline.",
  UNEXPECTED: "An error that no code describes.",
  UNREACHABLE: "The API did not answer.",
  UPLOAD_REFUSED: "The upload of the source archive was refused.",
  USAGE: "The command line is wrong.",
} as const;

export type CliCode = keyof typeof CLI_CODES;
