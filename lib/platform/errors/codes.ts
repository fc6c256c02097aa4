import type { Disposition } from "#lib/platform/errors/fault.ts";

/** The code of an HTTP answer, with its status. */
const answer = <const Status extends number>(status: Status, says: string) => ({ status, says });

/** The code of a fault, with its disposition, and a status where it also stands in an HTTP answer. */
const fault =
  <const Of extends Disposition>(disposition: Of) =>
  <const Status extends number | undefined = undefined>(says: string, status?: Status) => ({
    disposition,
    status: status as Status,
    says,
  });

/** The code of a step's outcome or a replay's answer: no message is moved by it. */
const outcome = (says: string) => ({ says });

const retry = fault("retry");
const throttle = fault("throttle");
const park = fault("park");
const terminal = fault("terminal");
/** In an HTTP answer it has status 422. */
const reject = fault("reject");

/**
 * Every error code, once, with its meaning for people; docs/reference/errors.md is generated from it. It
 * types `Fault`, `HttpError` and the `codes` of routes, so a code that is not here does not compile, nor
 * does one that is used with another status or by a fault of another disposition.
 */
export const ERROR_CODES = {
  ADDRESS_FORBIDDEN: reject("The host leads to an address that is not public."),
  ARCHIVE_CORRUPT: reject("The archive cannot be read; send a tar compressed with gzip."),
  ARCHIVE_EMPTY: reject("The archive holds no file.", 422),
  ARCHIVE_TOO_LARGE: reject("The archive, or what it unpacks to, is too large.", 413),
  ARCHIVE_TOO_MANY_FILES: reject("The archive has too many files, links and directories."),
  ARCHIVE_UNSAFE_ENTRY: reject("The archive has an entry that is no file, directory or symbolic link."),
  ARCHIVE_UNSAFE_LINK: reject("A link in the archive leads out of the tree."),
  ARCHIVE_UNSAFE_PATH: reject("A path in the archive leads out of the tree, or is there twice."),
  ARTIFACT_CORRUPT: answer(500, "The stored bytes of the artifact are not those of its SHA-256."),
  ARTIFACT_GONE: answer(410, "The artifact's bytes were deleted after their retention time."),
  ARTIFACT_NOT_FOUND: answer(404, "The task has no complete artifact of this path."),
  ATTEMPTS_EXCEEDED: answer(429, "This address sent too many credentials that were refused."),
  ATTEMPTS_EXHAUSTED: terminal("Every attempt failed, or ended without an outcome."),
  BLOB_CORRUPT: terminal("A stored blob holds other bytes than its reference says."),
  BLOB_FOREIGN: terminal("A reference leads to another tenant's blob."),
  BLOB_MISSING: terminal("A referenced blob is not in the artifact bucket."),
  BODY_INVALID: answer(422, "The body does not match its schema; `errors` lists where."),
  BODY_KEY_REFUSED: answer(400, "A key is twice in one object of the body, or is `__proto__`."),
  BODY_NOT_JSON: answer(400, "The body is not JSON."),
  BODY_NOT_UNICODE: answer(400, "The body is not UTF-8, or has half a surrogate pair."),
  BODY_TOO_COMPLEX: answer(400, "The body has too many levels, values or characters in a key."),
  BODY_TOO_LARGE: answer(413, "The body has more bytes than the route takes."),
  BUILD_ENVIRONMENT_BROKEN: outcome("A program that the build or test needs is not in the sandbox."),
  BUILD_FAILED: outcome("The build command failed."),
  CALL_DEADLINE: retry("A dependency did not answer in time."),
  CHANGE_EMPTY: reject("The change leaves the source as it is."),
  CHECK_UNAVAILABLE: answer(503, "The submitted change could not be checked now; submit it again."),
  CIRCUIT_BUSY: retry("The circuit changed again and again meanwhile; send the command again."),
  CIRCUIT_NOT_FOUND: answer(404, "No call was made through a circuit of this name."),
  CIRCUIT_OPEN: park("The dependency's circuit is open; the work waits until it recovers."),
  CODEMOD_LANGUAGE_UNSUPPORTED: reject("The codemod is for a language that is not supported."),
  CODEMOD_NO_MATCH: reject("No rule of the codemod matches anything in the source."),
  CODEMOD_RULES_INVALID: reject("The codemod's rules cannot be used."),
  COMMAND_FAILED: outcome("The command failed."),
  COMMAND_MISSING: reject("Neither a build nor a test command was given."),
  COMPUTATION_CRASHED: reject("The child process that worked on the input crashed on it."),
  COMPUTATION_INTERRUPTED: retry("The child process that worked on the input was killed from outside."),
  COMPUTATION_MEMORY_LIMIT: reject("Work on the input took more memory than it may."),
  COMPUTATION_OUTPUT_LIMIT: reject("Work on the input gave more bytes than it may."),
  COMPUTATION_TIME_LIMIT: reject("Work on the input took longer than it may."),
  COMPUTATION_UNAVAILABLE: retry("No child process for work on submitted input could be started."),
  CONTENT_TYPE_UNSUPPORTED: answer(415, "The body must be uncompressed application/json in UTF-8."),
  CURSOR_INVALID: answer(400, "The cursor is not one that this list gave out for these filters."),
  DEADLINE_EXCEEDED: outcome("The task did not end before its deadline."),
  DELIVERY_CONTENDED: outcome("Others changed the delivery again and again meanwhile."),
  DELIVERY_ENDED_SINCE: outcome("The delivery has ended since; its message is only removed."),
  DELIVERY_GIVEN_UP: terminal("The webhook's receiver did not take the delivery before its deadline."),
  DELIVERY_NOT_FOUND: answer(404, "The tenant has no such delivery."),
  DELIVERY_OPEN: answer(409, "The delivery is still being tried."),
  DELIVERY_REARMED: outcome("The delivery is tried again from the beginning."),
  DELIVERY_UNKNOWN: outcome("There is no such delivery, or its retention time is over."),
  DEPENDENCY_DAMPED: park("Only a share of the calls to a failing dependency passes; this one waits."),
  DEPENDENCY_FAILING: park("The call failed while its dependency fails for others too."),
  DIFF_BINARY_UNSUPPORTED: reject("The diff says that a binary file differs, but not how."),
  DIFF_DOES_NOT_APPLY: reject("The diff does not apply to the submitted source."),
  DIFF_EMPTY: reject("The diff is empty."),
  DIFF_FORMAT_UNSUPPORTED: reject("The diff is in a form that is not read, such as a context diff."),
  DIFF_MALFORMED: reject("The diff is not well-formed."),
  DIFF_NOT_REPRODUCIBLE: terminal("The diff that was made does not give the edited tree again."),
  DIFF_ORDER_UNCLEAR: reject("The parts of the diff give another tree in another order."),
  DIFF_PATH_UNSAFE: reject("The diff names a path outside the tree."),
  DIFF_STRIP_UNCLEAR: reject("The names in the diff can be read with and without a prefix."),
  DIFF_TARGET_EXISTS: reject("The diff creates a file that exists already."),
  DIFF_TARGET_MISSING: reject("The diff changes a file that is not in the tree."),
  DIFF_TOO_LARGE: reject("The diff is too large."),
  EDITS_MISSING: reject("The model's answer has no edit."),
  EDIT_CHANGES_NOTHING: reject("The edit leaves the file as it is."),
  EDIT_FILE_CHANGED: reject("The file is not what it was when it was shown to the model."),
  EDIT_FILE_EXISTS: reject("The edit makes a file where one is already."),
  EDIT_FILE_MISSING: reject("The edit is of a file that is not in the tree."),
  EDIT_FILE_NOT_SHOWN: reject("The edit is of a file, or a part of one, that the model was not shown."),
  EDIT_FILE_NOT_TEXT: reject("The edit is of a file, or would make one, that is not UTF-8 text."),
  EDIT_MALFORMED: reject("The edit cannot be read."),
  EDIT_PATH_UNSAFE: reject("The edit leads out of the repository, into `.git` or through a link."),
  EDIT_SEARCH_AMBIGUOUS: reject("The search text does not occur as often as the edit says."),
  EDIT_SEARCH_NOT_FOUND: reject("The search text does not occur in the file."),
  EDIT_TOO_LARGE: reject("The file, or what the edit makes of it, is too large."),
  EMBEDDER_FAILED: retry("The embedding engine stopped."),
  ENVELOPE_INVALID: terminal("The message is no envelope for this service."),
  FIELD_REQUIRED: answer(422, "A field that this request needs is absent."),
  FIELD_UNUSED: answer(422, "No step of the workflow reads a field that was submitted."),
  FILES_UNREADABLE: reject(
    "The parser stalls or crashes on more files of the source than may be left out of its index.",
  ),
  GIT_HOST_FORBIDDEN: reject("The git source's host leads to an address that is not public."),
  GIT_MEMORY_LIMIT: reject("Git took more memory on the server's answers than it may."),
  GIT_OBJECTS_UNREADABLE: retry("Git could not read the objects that it fetched."),
  GIT_OUTPUT_LIMIT: reject("The git server sent more messages than it may."),
  GIT_REF_INVALID: reject("The ref cannot be a branch, a tag or a commit id."),
  GIT_REF_NOT_FOUND: reject("The repository has no such branch, tag or commit."),
  GIT_REPOSITORY_REFUSED: reject("There is no public git repository at the URL."),
  GIT_REPOSITORY_UNREACHABLE: retry("Fetching the git source failed."),
  GIT_TIME_LIMIT: reject("The fetch took longer than it may, or the server sent too slowly."),
  GIT_UNAVAILABLE: terminal("Git is absent, or too old, where this function runs."),
  GIT_URL_INVALID: reject("The git source's URL cannot be used."),
  GRACE_TOO_LONG: answer(422, "The old secret or key may not stay valid for so long."),
  GRAPH_UNAVAILABLE: answer(503, "The code graph does not answer now."),
  HEADERS_TOO_LARGE: answer(431, "The headers are larger than the API takes."),
  HEADER_REPEATED: answer(400, "A header that means one thing is sent more than once."),
  IDEMPOTENCY_KEY_EXPIRED: answer(409, "The Idempotency-Key belongs to a task that is being deleted."),
  IDEMPOTENCY_KEY_INVALID: answer(400, "An Idempotency-Key has 1 to 255 visible ASCII characters."),
  IDEMPOTENCY_KEY_UNUSABLE: terminal("The idempotency key is empty or too long."),
  IDEMPOTENCY_MISMATCH: terminal("The same idempotency key was used with another input.", 422),
  INDEX_UNREADABLE: answer(500, "The repository's index cannot be read; index it again."),
  INSTALL_FAILED: outcome("The install command failed."),
  INTERNAL: answer(500, "An unforeseen error; the log has it under the same trace id."),
  INVOCATION_ENDING: retry("The invocation's time was nearly over."),
  IN_PROGRESS: park("The same work is in progress elsewhere."),
  ISSUER_UNAVAILABLE: answer(503, "The keys of the token's issuer cannot be read now."),
  KEYS_TOO_MANY: answer(409, "The tenant has as many API keys in force as it may have."),
  KEY_NOT_ACTIVE: answer(409, "The API key is revoked, expired or rotated already."),
  KEY_NOT_FOUND: answer(404, "The tenant has no such API key."),
  KEY_TOO_LONG_LIVED: answer(422, "An API key may not be valid for so long."),
  LEASE_LOST: park("Another worker owns the work now."),
  MESSAGE_SENT: outcome("The message is sent again."),
  MESSAGE_UNREADABLE: outcome("The dead letter is no message for its service."),
  METHOD_NOT_ALLOWED: answer(405, "The path has other methods; the Allow header lists them."),
  MODEL_ANSWER_CUT: retry("The connection to the model ended in the middle of its answer."),
  MODEL_ANSWER_LATE: retry("The model's answer took longer than it may."),
  MODEL_ANSWER_MALFORMED: terminal("The model's endpoint sent something else than an answer."),
  MODEL_ANSWER_STALLED: retry("The model's endpoint stopped sending in the middle of its answer."),
  MODEL_ANSWER_TRUNCATED: reject("The model's answer ended at the limit of its tokens."),
  MODEL_BUDGET_SPENT: reject("The next question to the model would pass the budget of the task."),
  MODEL_CREDENTIALS_REFUSED: terminal("The model's endpoint refuses the key."),
  MODEL_DAY_BUDGET_SPENT: park("The tenant's budget for models is spent for today."),
  MODEL_DECLINED: reject("The model declined to make the change."),
  MODEL_NOT_CONFIGURED: reject("A change in words needs a model, and none is configured.", 422),
  MODEL_NOT_FOUND: terminal("The model's endpoint knows no such model or path."),
  MODEL_NOT_USABLE: terminal("The model's settings give no request."),
  MODEL_OVERLOADED: throttle("The model's endpoint is overloaded."),
  MODEL_QUESTION_TOO_LONG: reject("The question takes more tokens than the model may be asked."),
  MODEL_QUOTA_SPENT: park("The model's quota is spent."),
  MODEL_REFUSED: terminal("The model's endpoint refused the request."),
  MODEL_THROTTLED: throttle("The model's endpoint asks for fewer requests."),
  MODEL_UNAVAILABLE: retry("The model's endpoint did not answer, or failed."),
  MOVE_FAILED: terminal("SQS did not finish moving the messages of a dead-letter queue."),
  NATIVE_REDRIVE: terminal("SQS moved the message to the dead-letter queue: its workers died silently."),
  NEO4J_BUSY: retry("Neo4j gave up a transaction."),
  NEO4J_CREDENTIALS_REFUSED: terminal("Neo4j refuses NEO4J_USER with NEO4J_PASSWORD."),
  NEO4J_REFUSED: terminal("Neo4j refused a statement."),
  NEO4J_UNAVAILABLE: retry("Neo4j does not answer."),
  NEO4J_URL_UNUSABLE: terminal("NEO4J_URL is no bolt or neo4j URL."),
  NO_REPAIR_LEFT: reject("No further try of the change is possible."),
  NO_TEST_RAN: outcome("A test was required to run, and none is known to have run."),
  OPERATOR_TENANT_REQUIRED: answer(403, "Only operators command a circuit that all tenants share."),
  OTHER_INPUT: outcome("The step was claimed for another input."),
  PAYLOAD_INVALID: terminal("The message's payload does not match the agent's input schema."),
  PROFILE_NOT_ALLOWED: answer(403, "The sandbox profile is not allowed to the tenant."),
  PROFILE_UNKNOWN: reject("There is no such sandbox profile.", 422),
  QUERY_INVALID: answer(422, "The query string does not match its schema; `errors` lists where."),
  QUOTA_SPENT: answer(429, "The tenant's requests to this route are spent for today."),
  RATE_LIMITED: answer(429, "The tenant sends more requests to this route than its rate allows."),
  RATE_LIMIT_UNAVAILABLE: answer(503, "Requests to this route cannot be counted now."),
  RECEIVES_SPENT: terminal("The message was received as often as its queue allows."),
  REDELIVERIES_SPENT: answer(409, "The delivery was sent again as often as is allowed."),
  REGISTRY_UNREACHABLE: outcome("The install could not connect to a package registry."),
  REPLAYED_ALREADY: outcome("The message was replayed before; it is only removed."),
  REPLAYS_SPENT: outcome("The task was replayed as often as is allowed."),
  REPORT_UNREADABLE: terminal("The build-test report to be indexed is no such report."),
  REQUEST_MALFORMED: answer(400, "The request is not valid HTTP."),
  REQUEST_TIMEOUT: answer(408, "The request did not arrive in time."),
  RESPONSE_NOT_JSON: terminal("The response to be kept is no JSON value."),
  RESPONSE_TOO_LARGE: terminal("The response to be kept is too large."),
  RETRY_BUDGET_SPENT: park("Retries are as much of the traffic to the dependency as they may be."),
  REVISION_REMOVED: retry("The revision was removed as abandoned while it was written."),
  ROUTE_CLOSED: answer(403, "No policy opens the route to the tenant."),
  ROUTE_UNKNOWN: answer(404, "There is no such route."),
  SANDBOX_CPU_TIME: outcome("The command used more CPU time than its profile allows."),
  SANDBOX_DISK: reject("The files take more bytes than the profile allows."),
  SANDBOX_FILE_SIZE: outcome("The command wrote a file larger than its profile allows."),
  SANDBOX_INODES: reject("There are more files and directories than the profile allows."),
  SANDBOX_LEFTOVERS: retry("Processes of a sandboxed command did not end when killed."),
  SANDBOX_MEMORY: outcome("The command used more memory than its profile allows."),
  SANDBOX_NETWORK_DENIED: outcome("The command used the network beyond what its profile allows."),
  SANDBOX_OPEN_FILES: outcome("The command opened more files at once than its profile allows."),
  SANDBOX_OUTPUT: outcome("The command printed more than its profile allows."),
  SANDBOX_PATH_DENIED: outcome("The command read a hidden path."),
  SANDBOX_PROCESSES: outcome("The command ran more processes at once than its profile allows."),
  SANDBOX_UNAVAILABLE: terminal("The isolation that the profile demands is not available."),
  SANDBOX_WALL_TIME: outcome("The command ran longer than its profile allows."),
  SCOPE_MISSING: answer(403, "The credential lacks the scope of the route."),
  SECRETS_TOO_MANY: answer(409, "The webhook has as many secrets in force as it may have."),
  SNAPSHOT_CONTENDED: retry("Other revisions of the repository were published meanwhile."),
  SNAPSHOT_CORRUPT: terminal("The stored index cannot be read."),
  SNAPSHOT_INCOMPLETE: terminal("Parts of the index are missing in Neo4j."),
  SNAPSHOT_TOO_LARGE: terminal("The index is too large to be stored."),
  SOURCE_ENTRY_UNSUPPORTED: reject("The source has an entry that is no file, directory or link."),
  SOURCE_LINK_UNSAFE: reject("A link of the source leads out of the tree."),
  SOURCE_PATH_UNSAFE: reject("A path of the source leads out of the tree."),
  SOURCE_TOO_LARGE: reject("The source is too large."),
  SOURCE_TOO_MANY_FILES: reject("The source has too many files."),
  STEP_ENDED_SINCE: outcome("The step has ended since; its message is only removed."),
  STEP_FAILED: outcome("A step failed without a code of its own."),
  STEP_IN_PROGRESS: park("Another worker runs the step, or it waits for its next attempt."),
  STEP_NOT_DUE: outcome("The task is not at this step."),
  STEP_PARKED: park("The step waits for a dependency."),
  STEP_REARMED: outcome("The step starts again, and its task continues from there."),
  STEP_SUPERSEDED: outcome("The task continued without the step."),
  TASK_CANCELED: outcome("The task was canceled; the message is only removed."),
  TASK_CONTENDED: retry("Others changed the task again and again meanwhile.", 503),
  TASK_ENDED: answer(409, "The task has ended."),
  TASK_NOT_ENDED: outcome("The task has not ended on this failure yet."),
  TASK_NOT_FOUND: answer(404, "The tenant has no such task."),
  TASK_REOPENED: outcome("The task resumes at this step."),
  TASK_UNKNOWN: terminal("There is no such task."),
  TESTS_FAILED: outcome("Tests failed, or the test command did."),
  TEXT_NOT_UNICODE: reject("A text has half a surrogate pair in it."),
  TRACE_MISSING: terminal("The message has no valid trace context."),
  TREE_ENTRY_UNSUPPORTED: terminal("The tree has an entry that is no file, directory or link."),
  UNAUTHENTICATED: answer(401, "The request has no valid API key or token."),
  UNEXPECTED: retry("An error that no code describes."),
  UNPACK_DIRECTORY_NOT_EMPTY: terminal("A source is only unpacked into an empty directory."),
  UPLOAD_CORRUPT: reject("The uploaded archive holds other bytes than its SHA-256 says."),
  UPLOAD_EXPIRED: answer(422, "The uploaded archive would be deleted before the task's deadline."),
  UPLOAD_NOT_FOUND: answer(422, "Nothing was uploaded under this upload id."),
  URL_MALFORMED: answer(400, "The URL has percent-encoding that is not UTF-8."),
  VECTOR_INDEX_DIMENSIONS: terminal("Neo4j's vector index is for vectors of another dimension."),
  WAIT_EXCEEDS_DEADLINE: outcome("The step would have to wait until after the task's deadline."),
  WEBHOOKS_TOO_MANY: answer(409, "The tenant has as many webhooks as it may have."),
  WEBHOOK_CONTENDED: answer(503, "Others changed the webhook again and again meanwhile."),
  WEBHOOK_DELETED: reject("The webhook was deleted."),
  WEBHOOK_DISABLED: reject("The webhook is disabled."),
  WEBHOOK_GONE: reject("The receiver answered 410 Gone, so the webhook is disabled."),
  WEBHOOK_LATE: retry("The webhook's receiver did not answer in time."),
  WEBHOOK_NOT_FOUND: answer(404, "The tenant has no such webhook."),
  WEBHOOK_REDIRECTS: retry("The webhook's receiver answered with a redirect, which is not followed."),
  WEBHOOK_REFUSED: retry("The webhook's receiver refused the delivery."),
  WEBHOOK_ROOT_MISSING: terminal("WEBHOOK_SECRET_ROOT is not set where this function runs."),
  WEBHOOK_THROTTLED: throttle("The webhook's receiver asks for fewer deliveries."),
  WEBHOOK_UNAVAILABLE: retry("The webhook's receiver failed."),
  WEBHOOK_UNREACHABLE: retry("No connection to the webhook's receiver was made."),
  WEBHOOK_URL_FORBIDDEN: reject("The webhook's URL may not be used.", 422),
  WORKFLOW_NOT_ALLOWED: answer(403, "The workflow is not allowed to the tenant."),
  WORKFLOW_UNKNOWN: answer(422, "There is no such workflow."),
} satisfies Record<string, { says: string; status?: number | undefined; disposition?: Disposition }>;

type Catalogue = typeof ERROR_CODES;

/** A code of the catalogue. */
export type ErrorCode = keyof Catalogue;

/** Codes of faults with this disposition. */
export type CodeOf<Of extends Disposition> = {
  [Code in ErrorCode]: Catalogue[Code] extends { disposition: Of } ? Code : never;
}[ErrorCode];

/** Codes of HTTP answers with this status. A rejected input is answered 422 unless it has a status of its own. */
type CodeWithStatus<Status extends number> = {
  [Code in ErrorCode]: Catalogue[Code] extends { status: Status } ? Code : never;
}[ErrorCode];

/** Codes that an `HttpError` may have. */
export type AnswerCode = CodeWithStatus<number>;

/** The status of an `HttpError` with this code. */
export type StatusOf<Code extends AnswerCode> = Catalogue[Code]["status"] & number;

/** Status → codes of answers with that status, as a route declares them. */
export type CodesByStatus = {
  readonly [Status in StatusOf<AnswerCode>]?: readonly (
    | CodeWithStatus<Status>
    | (Status extends 422 ? CodeOf<"reject"> : never)
  )[];
};
