import type { z } from "zod";
import { describeIssue } from "#schemas/issue-sentence.ts";
import { CliError, Unreachable } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";
import { problemFrom } from "./problem-error.ts";
import type { Settings } from "./settings.ts";
import { whenAllowed } from "./when-allowed.ts";

interface RequestOptions {
  body?: unknown;
  headers?: Record<string, string>;
  timeout_ms?: number;
}

/** The HTTP API, with answers checked against their schemas. */
export interface Api {
  readonly url: string;
  get<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    options?: RequestOptions,
  ): Promise<z.output<Schema>>;
  post<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    options?: RequestOptions,
  ): Promise<z.output<Schema>>;
  delete<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    options?: RequestOptions,
  ): Promise<z.output<Schema>>;
  /** A text, and the cursor of the next page in the answer's header `next-cursor`. */
  page(path: string): Promise<{ text: string; next_cursor: string | null }>;
  /** The bytes behind an artifact's `href`. */
  download(href: string): Promise<Uint8Array>;
}

const TIMEOUT_MS = 30_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

function unreachable(url: string, cause: unknown): Unreachable {
  if (cause instanceof Error && cause.name === "TimeoutError") {
    return new Unreachable(`${url} did not answer in time.`, ["Is it overloaded? Try again."], cause);
  }
  const code = (cause as { cause?: { code?: string } }).cause?.code;
  const absent = code === undefined || code === "ECONNREFUSED" || code === "ENOTFOUND";
  const what = absent ? `Nothing answers at ${url}` : `The connection to ${url} broke off`;
  const loopback = /^(127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname);
  const hint = loopback
    ? "Start the stack with `npm start`, or give another --url (AGENTS_URL)."
    : "Check --url (AGENTS_URL) and your network. A local stack is started with `npm start`.";
  return new Unreachable(`${what}${code ? ` (${code})` : ""}.`, [hint], cause);
}

/**
 * Check an answer. Fields this version does not know are let through, so that an older CLI can speak
 * with a newer API.
 */
function readAnswer<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  if (parsed.error.issues.every((issue) => issue.code === "unrecognized_keys")) {
    return value as z.output<Schema>;
  }
  const [issue] = parsed.error.issues;
  throw new CliError(
    exitCode.error,
    "ANSWER_NOT_UNDERSTOOD",
    `The answer of ${where} is not what this CLI understands: ${issue && describeIssue(issue)}.`,
    { hints: ["Do CLI and API have the same version?"], cause: parsed.error },
  );
}

/**
 * Speak to the API at `settings.url`. Every request has a time limit. One that comes too soon for its
 * rate is made again when the API asked for, and `onWait` told.
 */
export function connect(settings: Settings, onWait?: (notice: string) => void): Api {
  async function attempt<Result>(
    url: URL,
    init: RequestInit,
    timeout_ms: number,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    const headers = new Headers(init.headers);
    if (url.origin === settings.url) headers.set("authorization", `Bearer ${settings.key}`);
    let response: Response;
    let body: Result | string;
    try {
      response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(timeout_ms) });
      if (response.ok) return await read(response);
      body = await response.text();
    } catch (cause) {
      if (cause instanceof SyntaxError) {
        const message = `${url.origin} answered with something that is not JSON.`;
        throw new CliError(exitCode.error, "ANSWER_NOT_UNDERSTOOD", message, { cause });
      }
      throw unreachable(url.origin, cause);
    }
    throw problemFrom(response, body);
  }

  const request: typeof attempt = (...given) => whenAllowed(() => attempt(...given), onWait);

  async function json<Schema extends z.ZodType>(
    method: string,
    schema: Schema,
    path: string,
    options: RequestOptions = {},
  ): Promise<z.output<Schema>> {
    const headers = { accept: "application/json", ...options.headers };
    const init: RequestInit = { method, headers };
    if (options.body !== undefined) {
      init.headers = { ...headers, "content-type": "application/json" };
      init.body = JSON.stringify(options.body);
    }
    const url = new URL(path, settings.url);
    const value = await request(url, init, options.timeout_ms ?? TIMEOUT_MS, (response) => response.json());
    return readAnswer(schema, value, `${method} ${url.pathname}`);
  }

  return {
    url: settings.url,
    get: (schema, path, options) => json("GET", schema, path, options),
    post: (schema, path, options) => json("POST", schema, path, options),
    delete: (schema, path, options) => json("DELETE", schema, path, options),
    page: (path) =>
      request(new URL(path, settings.url), {}, DOWNLOAD_TIMEOUT_MS, async (response) => ({
        text: await response.text(),
        next_cursor: response.headers.get("next-cursor"),
      })),
    download: (href) =>
      request(
        new URL(href, settings.url),
        {},
        DOWNLOAD_TIMEOUT_MS,
        async (response) => new Uint8Array(await response.arrayBuffer()),
      ),
  };
}
