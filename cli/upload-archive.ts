import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { UploadGrant } from "#schemas/http/task-view.ts";
import type { UploadRequest } from "#schemas/messages/submission.ts";
import type { Api } from "./api.ts";
import { CliError, Unreachable } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";

const CHUNK_BYTES = 64 * 1024;
const SILENCE_MS_MAX = 60_000;

/** PUT with a known length, telling how far it is. `fetch` would hide that. */
function put(grant: UploadGrant, bytes: Buffer, onSent: (bytes: number) => void): Promise<void> {
  const url = new URL(grant.url);
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const headers = { ...grant.headers, "content-length": String(bytes.length) };
    const request = send(url, { method: grant.method, headers, timeout: SILENCE_MS_MAX }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) return resolve();
        const detail = refusalIn(Buffer.concat(parts).toString("utf8"));
        reject(new CliError(exitCode.error, "UPLOAD_REFUSED", `The upload was refused: ${status} ${detail}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error("no progress for a minute")));
    request.on("error", (cause) => {
      reject(
        new Unreachable(`The upload to ${url.origin} broke off: ${cause.message}.`, ["Try again."], cause),
      );
    });
    let sent = 0;
    const pump = () => {
      while (sent < bytes.length) {
        const next = bytes.subarray(sent, sent + CHUNK_BYTES);
        sent += next.length;
        const more = request.write(next);
        onSent(sent);
        if (!more && sent < bytes.length) return void request.once("drain", pump);
      }
      request.end();
    };
    pump();
  });
}

/**
 * Send an archive and answer the id to submit it by.
 * @throws CliError when the API or its store refuses it, Unreachable when the connection breaks
 */
export async function uploadArchive(
  api: Api,
  archive: Buffer,
  onSent: (bytes: number) => void = () => {},
): Promise<string> {
  const body: UploadRequest = {
    sha256: createHash("sha256").update(archive).digest("hex"),
    bytes: archive.length,
  };
  const grant = await api.post(UploadGrant, "/api/uploads", { body });
  await put(grant, archive, onSent);
  return grant.upload_id;
}

/** What a store says of its refusal: the message of S3's XML or of JSON, else nothing. */
function refusalIn(body: string): string {
  const xml = /<Message>([^<]{1,300})<\/Message>/.exec(body)?.[1];
  const json = /"message"\s*:\s*"((?:[^"\\]|\\.){1,300})"/.exec(body)?.[1];
  return xml ?? json ?? "";
}
