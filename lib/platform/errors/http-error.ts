import type { Problem } from "#schemas/http/task-view.ts";

/** An answer that is not 2xx: status, stable code, and a sentence that says what to do. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: Problem["errors"];
  /** Beyond those of every answer, such as Allow and Retry-After. */
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    detail: string,
    errors?: Problem["errors"],
    headers: Record<string, string> = {},
  ) {
    super(detail);
    this.name = "HttpError";
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}
