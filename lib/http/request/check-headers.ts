import { HttpError } from "#lib/platform/errors/http-error.ts";

/**
 * Headers that mean one thing, and take no comma. API Gateway joins a header that is sent more than once by
 * commas. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
const SINGLE = ["authorization", "content-type", "content-length", "host"];

/**
 * Throws HttpError 400 `HEADER_REPEATED` where a header that readers take for different values is sent more than
 * once: who looks at the first and who looks at the last must not disagree about whose request it is.
 */
export function checkHeaders(headers: Record<string, string>): void {
  const repeated = SINGLE.find((name) => headers[name]?.includes(","));
  if (repeated !== undefined) throw headerRepeated(repeated);
}

export function headerRepeated(name: string): HttpError {
  return new HttpError("HEADER_REPEATED", `send the header ${name} once, with one value`);
}
