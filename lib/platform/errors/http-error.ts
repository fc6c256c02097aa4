import { type AnswerCode, ERROR_CODES, type StatusOf } from "#lib/platform/errors/codes.ts";
import type { Problem } from "#schemas/http/task-view.ts";

/** An answer that is not 2xx: a code of the catalogue with its status, and a sentence that says what to do. */
export class HttpError<Code extends AnswerCode = AnswerCode> extends Error {
  readonly status: StatusOf<Code>;
  readonly code: Code;
  readonly errors: Problem["errors"];
  /** Beyond those of every answer, such as Allow and Retry-After. */
  readonly headers: Record<string, string>;

  constructor(code: Code, detail: string, errors?: Problem["errors"], headers: Record<string, string> = {}) {
    super(detail);
    this.name = "HttpError";
    this.status = ERROR_CODES[code].status as StatusOf<Code>;
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}
