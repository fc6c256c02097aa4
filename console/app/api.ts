import type { Problem } from "#schemas/http/task-view.ts";
import { t } from "./language.ts";
import { currentSession, signOut } from "./session.ts";

/** An answer that is not 2xx, or none at all: then the code is the console's own `UNREACHABLE`. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly trace_id: string | undefined;
  readonly errors: NonNullable<Problem["errors"]>;

  constructor(status: number, problem: Partial<Problem> & Pick<Problem, "code" | "detail">) {
    super(problem.detail);
    this.name = "ApiProblem";
    this.status = status;
    this.code = problem.code;
    this.trace_id = problem.trace_id;
    this.errors = problem.errors ?? [];
  }
}

export interface Ask {
  method?: "GET" | "POST" | "DELETE";
  /** Values that are undefined or empty are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** Default: the session's. */
  key?: string;
}

/** The path with the query of those values that say something. */
function withQuery(path: string, query: NonNullable<Ask["query"]>): string {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Asks the HTTP API. Throws ApiProblem; a refused key ends the session. */
export async function ask<Body>(path: string, asked: Ask = {}): Promise<Body> {
  return (await (await send(path, asked)).json()) as Body;
}

/** The answer as it came. Throws as `ask`. */
export async function send(path: string, asked: Ask = {}): Promise<Response> {
  const { method = "GET", query = {}, body, headers, signal } = asked;
  const key = asked.key ?? currentSession()?.key ?? "";
  const response = await fetch(withQuery(path, query), {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    redirect: "manual",
    credentials: "omit",
    cache: "no-store",
  }).catch((error: Error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiProblem(0, { code: "UNREACHABLE", detail: t("problem.unreachable") });
  });
  if (response.ok || response.type === "opaqueredirect") return response;
  const problem = await problemOf(response);
  if (response.status === 401 && asked.key === undefined) signOut();
  throw problem;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    if (typeof problem.code === "string" && typeof problem.detail === "string") {
      return new ApiProblem(response.status, problem as Problem);
    }
  } catch {
    // It is no problem document: API Gateway's own answers are not.
  }
  return new ApiProblem(response.status, {
    code: `HTTP_${response.status}`,
    detail: t("problem.no_problem", { status: response.status }),
  });
}
