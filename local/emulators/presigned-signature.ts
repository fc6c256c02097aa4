import { createHash, createHmac } from "node:crypto";

/** A request with a presigned URL, as it arrived. */
export interface PresignedRequest {
  method: string;
  /** Path and query, escaped as sent. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
}

/**
 * The signature that a presigned URL must have for this request: for another key, type, length or
 * checksum it is another one.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function presignedSignature({ method, url, headers }: PresignedRequest, secret: string): string {
  const [path = "", query = ""] = url.split("?", 2);
  const parameters = [...new URLSearchParams(query.replaceAll("+", "%2B"))];
  const named = new Map(parameters);
  const signed = named.get("X-Amz-SignedHeaders") ?? "";
  const request = [
    method,
    path,
    canonicalQuery(parameters),
    ...signed.split(";").map((name) => `${name}:${canonicalValue(headers[name])}`),
    "",
    signed,
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const [, date = "", region = "", service = ""] = (named.get("X-Amz-Credential") ?? "").split("/");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", named.get("X-Amz-Date"), scope, hash(request)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<Buffer | string>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString("hex");
}

function canonicalQuery(parameters: [string, string][]): string {
  return parameters
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join("&");
}

function canonicalValue(value: string | string[] | undefined): string {
  return [value ?? ""].flat().join(",").trim().replace(/\s+/g, " ");
}

/** RFC 3986: all but letters, digits and -._~ */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
