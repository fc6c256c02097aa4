import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { HttpError } from "#lib/platform/errors/http-error.ts";

/** API Gateway itself takes 10 MB; larger sources go by `POST /api/uploads`. */
const BODY_BYTES_MAX = 6_000_000;
/** What decoders put where bytes are not UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * The text of a body that says it is JSON. Throws HttpError 415 `CONTENT_TYPE_UNSUPPORTED`, 413
 * `BODY_TOO_LARGE`, 400 `BODY_NOT_UNICODE`.
 */
export function readBody(
  { body, isBase64Encoded }: Pick<APIGatewayProxyEventV2, "body" | "isBase64Encoded">,
  headers: Record<string, string>,
): string {
  demandPlainJson(headers);
  const given = body ?? "";
  const bytes = Buffer.byteLength(given, isBase64Encoded ? "base64" : "utf8");
  if (bytes > BODY_BYTES_MAX) {
    throw new HttpError("BODY_TOO_LARGE", `the body has ${bytes} bytes; ${BODY_BYTES_MAX} is the limit`);
  }
  if (isBase64Encoded) return decoded(Buffer.from(given, "base64"));
  // Decoded before us: what was no UTF-8 has another length now.
  const sent = headers["content-length"];
  if (given.includes(REPLACEMENT) && sent !== undefined && Number(sent) !== bytes) throw notUnicode();
  return given;
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16 */
function demandPlainJson(headers: Record<string, string>): void {
  const [media_type = "", ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";");
  const charsets = parameters.filter((parameter) => /^\s*charset\s*=/.test(parameter));
  const is_utf8 = charsets.every((charset) => /^\s*charset\s*=\s*"?utf-?8"?\s*$/.test(charset));
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (media_type.trim() === "application/json" && is_utf8 && encoding === "identity") return;
  throw new HttpError(
    "CONTENT_TYPE_UNSUPPORTED",
    "send the body as content-type: application/json, in UTF-8, not compressed",
    undefined,
    { accept: "application/json", "accept-encoding": "identity" },
  );
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notUnicode();
  }
}

function notUnicode(): HttpError {
  return new HttpError("BODY_NOT_UNICODE", "the body is not UTF-8");
}
