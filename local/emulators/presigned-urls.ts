import type { IncomingMessage } from "node:http";
import { presignedSignature } from "./presigned-signature.ts";
import { type S3Refusal, s3Error } from "./s3-gaps.ts";
import type { App } from "./sqs-gaps.ts";

/** Headers that a link may ask its answer to carry. */
const ASKED_HEADERS = ["content-type", "content-disposition"];
/** The secret access key that the local stack hands out, and that a presigned URL must be signed with. */
export const PRESIGNED_SECRET = "local";

/**
 * A presigned URL is refused when it has expired, when a header it was signed with is missing, and when
 * method, key, or a signed header such as length, type and checksum are others than were signed. A link's
 * answer has the type and name that it asks for.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function enforcePresignedUrls(app: App): void {
  app.addHook("onRequest", (request, reply, done) => {
    const query = request.query as Record<string, string>;
    const refusal = query["X-Amz-Signature"]
      ? (presignedRefusal(query, request.headers) ?? forged(query["X-Amz-Signature"], request.raw))
      : undefined;
    if (!refusal) return done();
    reply.status(refusal.status).header("content-type", "application/xml").send(s3Error(refusal));
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    const query = request.query as Record<string, string>;
    for (const name of ASKED_HEADERS) {
      const asked = query[`response-${name}`];
      if (asked && request.method === "GET" && reply.statusCode === 200) reply.header(name, asked);
    }
    done();
  });
}

function forged(
  signature: string,
  { method = "", url = "", headers }: IncomingMessage,
): S3Refusal | undefined {
  if (signature === presignedSignature({ method, url, headers }, PRESIGNED_SECRET)) return;
  const message = "The request signature we calculated does not match the signature you provided.";
  return { status: 403, code: "SignatureDoesNotMatch", message };
}

function presignedRefusal(query: Record<string, string>, headers: object): S3Refusal | undefined {
  const signed_at = Date.parse(
    (query["X-Amz-Date"] ?? "").replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  const expires_seconds = Number(query["X-Amz-Expires"]);
  if (!Number.isFinite(signed_at) || !Number.isFinite(expires_seconds)) {
    return {
      status: 400,
      code: "AuthorizationQueryParametersError",
      message: "X-Amz-Date or X-Amz-Expires is bad.",
    };
  }
  if (signed_at + expires_seconds * 1000 < Date.now()) {
    return { status: 403, code: "AccessDenied", message: "Request has expired" };
  }
  const missing = (query["X-Amz-SignedHeaders"] ?? "").split(";").find((name) => name && !(name in headers));
  if (missing) {
    return {
      status: 403,
      code: "SignatureDoesNotMatch",
      message: `The URL was signed with the header ${missing}, which the request does not carry.`,
    };
  }
  return;
}
