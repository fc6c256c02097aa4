import type { UploadGrant } from "#schemas/http/task-view.ts";
import type { UploadRequest } from "#schemas/messages/submission.ts";
import { ApiProblem, ask } from "../../app/api.ts";
import { t } from "../../app/language.ts";

/** Sends a .tar.gz to the bucket by a presigned URL; answers the id to submit it by. @throws ApiProblem */
export async function uploadArchive(archive: Blob): Promise<string> {
  const bytes = await archive.arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  // The first two bytes of gzip: https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
  if (first !== 0x1f || second !== 0x8b) throw failed("NOT_AN_ARCHIVE", t("submit.no_archive"));
  // Browsers give it to pages from https and from this machine only
  if (crypto.subtle === undefined) throw failed("NOT_SECURE", t("submit.not_secure"));
  const sha256 = hexOf(await crypto.subtle.digest("SHA-256", bytes));
  const body: UploadRequest = { sha256, bytes: bytes.byteLength };
  const { upload_id, method, url, headers } = await ask<UploadGrant>("/api/uploads", {
    method: "POST",
    body,
  });
  // The browser writes the length itself
  const { "content-length": _, ...sent } = headers;
  const answer = await fetch(url, { method, headers: sent, body: bytes, credentials: "omit" }).catch(
    () => undefined,
  );
  if (answer?.ok) return upload_id;
  throw failed(
    "UPLOAD_REFUSED",
    t("submit.upload_refused", { status: answer?.status ?? "–" }),
    answer?.status,
  );
}

function failed(code: string, detail: string, status = 0): ApiProblem {
  return new ApiProblem(status, { code, detail });
}

function hexOf(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
