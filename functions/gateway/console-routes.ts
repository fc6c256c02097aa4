import { z } from "zod";
import { type ApiRequest, type ApiResponse, type Route, route } from "#lib/http/route.ts";
import { IdentityView } from "#schemas/http/identity.ts";
import { type ConsoleFileName, consoleFile } from "./console-files.ts";
import { uploadOrigin } from "./create-upload.ts";
import { gatewayPorts } from "./dependencies.ts";

/**
 * What a page of the console may do: run and show its own two files, ask this API, and upload to the bucket. No inline script
 * or style, no frame, no form that is sent, no other host. `require-trusted-types-for` makes every use of `innerHTML` and the like fail:
 * https://www.w3.org/TR/trusted-types/
 */
const contentSecurityPolicy = (upload_origin: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${upload_origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

const REVALIDATED = "no-cache";
/** The name holds the content's hash, so what it names never changes: https://www.rfc-editor.org/rfc/rfc8246 */
const FOREVER = "public, max-age=31536000, immutable";

const VersionQuery = z.strictObject({
  v: z
    .string()
    .max(64)
    .describe("hash of the content, as the page has it; then the answer is kept for good")
    .optional(),
});

type FileRequest = Pick<ApiRequest<unknown, z.output<typeof VersionQuery>>, "headers" | "query" | "platform">;

async function answerFile(
  name: ConsoleFileName,
  content_type: string,
  { headers, query, platform }: FileRequest,
): Promise<ApiResponse> {
  const { bytes, gzipped, version } = await consoleFile(name);
  const takes_gzip = /(^|[\s,])gzip\s*(,|;\s*q=(1|0?\.\d*[1-9])|$)/i.test(headers["accept-encoding"] ?? "");
  return {
    status: 200,
    body: takes_gzip ? gzipped : bytes,
    headers: {
      "content-type": content_type,
      "content-security-policy": contentSecurityPolicy(await uploadOrigin(gatewayPorts(platform))),
      "cache-control": query.v === version ? FOREVER : REVALIDATED,
      vary: "accept-encoding",
      ...(takes_gzip && { "content-encoding": "gzip" }),
    },
  };
}

const fileRoute = (path: string, name: ConsoleFileName, summary: string, media_type: string): Route =>
  route({
    access: "public",
    summary,
    query: VersionQuery,
    answers: { 200: { says: `The file ${path}`, media_type } },
    codes: { 503: ["CONSOLE_NOT_BUILT"] },
    run: (request) => answerFile(name, `${media_type}; charset=utf-8`, request),
  });

/** The console for people, as three static files, and what it must know of the key it is given. */
export const consoleRoutes: Record<string, Route> = {
  "GET /": route({
    access: "public",
    summary: "Where people begin",
    answers: { 302: { says: "Go on there", headers: { location: "/console" } } },
    run: async () => ({
      status: 302,
      headers: { "cache-control": "public, max-age=300", location: "/console" },
    }),
  }),
  "GET /console": fileRoute("/console", "index.html", "The console: a page for people", "text/html"),
  "GET /console/app.js": fileRoute("/console/app.js", "app.js", "The console's script", "text/javascript"),
  "GET /console/app.css": fileRoute("/console/app.css", "app.css", "The console's style sheet", "text/css"),
  "GET /api/identity": route({
    access: "key",
    scope: "read",
    summary: "Whose credential this is, and what it may do",
    answers: { 200: { says: "The caller as the API knows it", schema: IdentityView } },
    run: async ({ tenant, identity }) => {
      const { subject = "unknown", scopes = [], valid_until = null } = identity ?? {};
      return { status: 200, body: { tenant, subject, scopes, valid_until } };
    },
  }),
};
