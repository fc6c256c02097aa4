import { Problem } from "#schemas/http/task-view.ts";
import { CliError } from "./cli-error.ts";
import type { CliCode } from "./codes.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCode.unreachable;
  return status < 500 && status !== 429 && status !== 408 ? exitCode.usage : exitCode.error;
}

function hintsOf(problem: Problem): string[] {
  const fields = (problem.errors ?? []).map(({ path, message }) => (path ? `${path}: ${message}` : message));
  if (problem.status !== 401) return fields;
  return [
    ...fields,
    "Give a key with --key or AGENTS_KEY, or run where `.local/credentials.json` is current.",
  ];
}

/** The API refused a request with an RFC 9457 problem. */
export class ProblemError extends CliError {
  readonly status: number;
  readonly retry_after_ms: number | undefined;

  constructor(problem: Problem, retry_after_ms: number | undefined) {
    super(exitCodeOf(problem.status), problem.code as CliCode, `${problem.title}: ${problem.detail}`, {
      hints: hintsOf(problem),
      trace_id: problem.trace_id,
    });
    this.status = problem.status;
    this.retry_after_ms = retry_after_ms;
  }
}

/** Read an answer that is not 2xx; one that is no problem document is reported with its status and beginning. */
export function problemFrom(response: Response, body: string): CliError {
  const parsed = Problem.loose().safeParse(parseJson(body));
  const retry_after = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retry_after_ms = Number.isFinite(retry_after) ? Math.min(retry_after, 60) * 1000 : undefined;
  if (parsed.success) return new ProblemError(parsed.data, retry_after_ms);
  return new ProblemError(
    {
      type: "about:blank",
      title: `HTTP ${response.status}`,
      status: response.status,
      code: `HTTP_${response.status}`,
      detail: body.trim().slice(0, 300) || response.statusText || "the answer was empty",
      trace_id: "",
    },
    retry_after_ms,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
