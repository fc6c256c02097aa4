/** Read in place by a browser; all else is saved. */
const SHOWN = new Set([
  "application/json",
  "application/jsonl",
  "text/plain",
  "text/markdown",
  "text/x-diff",
]);

/**
 * Artifacts hold what strangers wrote: they are never run as part of this origin. A path may get
 * other bytes with a later round, so it is asked for again each time, which costs a 304.
 */
export function artifactHeaders(path: string, content_type: string, sha256: string): Record<string, string> {
  const media_type = content_type.split(";")[0]?.trim().toLowerCase() ?? "";
  const name = (path.split("/").at(-1) ?? "").replace(/[^A-Za-z0-9._-]/g, "_");
  return {
    "content-type": content_type,
    "content-disposition": `${SHOWN.has(media_type) ? "inline" : "attachment"}; filename="${name}"`,
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, no-cache",
    etag: `"${sha256}"`,
  };
}

/** `If-None-Match` by weak comparison, as for GET: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
export function isUnchanged({ etag }: Record<string, string>, if_none_match: string | undefined): boolean {
  const tags = (if_none_match ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.some((tag) => tag === "*" || (tag !== "" && tag === etag));
}
