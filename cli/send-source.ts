import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { SubmittedSource } from "#schemas/messages/submission.ts";
import type { Api } from "./api.ts";
import { UsageError } from "./cli-error.ts";
import { checkArchive, packDirectory } from "./pack-directory.ts";
import { count, formatBytes } from "./render/format.ts";
import type { Terminal } from "./terminal.ts";
import { uploadArchive } from "./upload-archive.ts";

const PROGRESS_MS = 5_000;

function readArchive(path: string): Buffer {
  const bytes = readFileSync(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    throw new UsageError(
      `${path} is no gzipped tar archive.`,
      "Give a directory, a .tar.gz, or an http(s) git URL.",
    );
  }
  checkArchive(basename(path), bytes.length, "Leave out what the build does not need.");
  return bytes;
}

async function upload(api: Api, archive: Buffer, what: string, terminal: Terminal): Promise<string> {
  const total = formatBytes(archive.length);
  let told_at = Date.now();
  terminal.live(`  Sending ${what}, ${total} …`);
  const upload_id = await uploadArchive(api, archive, (sent) => {
    const text = `  Sending ${what}: ${formatBytes(sent)} of ${total}`;
    if (terminal.interactive) terminal.live(text);
    else if (Date.now() - told_at >= PROGRESS_MS) {
      told_at = Date.now();
      terminal.lines(text);
    }
  });
  terminal.lines(`Sent ${what}, ${total}`);
  return upload_id;
}

function notCloned(url: string): UsageError {
  return new UsageError(
    `Cannot clone ${url}.`,
    "A git source is an http(s) URL; or give a checked-out directory.",
  );
}

/**
 * A git URL that the platform can clone, and the ref with it.
 * @throws UsageError when it is none, carries a password, or the ref is empty
 */
export function gitUrl(text: string, ref: string | undefined): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw notCloned(text);
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      `The git URL of ${url.host} carries a user name or password, which would be kept with the task.`,
      "Private repositories cannot be cloned: check it out and give the directory.",
    );
  }
  if (ref?.trim() === "") throw new UsageError("--ref is empty.", "Give a branch, a tag or a commit.");
  return text;
}

/**
 * Turn a command's source argument into what a submission carries: a git URL as it is, a directory
 * or archive by uploading it.
 * @throws UsageError when there is no such thing, or it is empty or too large
 */
export async function sendSource(
  api: Api,
  argument: string,
  ref: string | undefined,
  terminal: Terminal,
): Promise<SubmittedSource> {
  if (/^https?:\/\//i.test(argument)) {
    return { kind: "git", url: gitUrl(argument, ref), ...(ref !== undefined ? { ref } : {}) };
  }
  if (/^(git@|ssh:|git:|file:)/.test(argument)) throw notCloned(argument);
  if (ref !== undefined)
    throw new UsageError("--ref goes with a git URL.", "Check the revision out and give the directory.");
  const stats = statSync(argument, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new UsageError(`There is no ${argument}.`, "Give a directory, a .tar.gz, or an http(s) git URL.");
  }
  if (!stats.isDirectory()) {
    const what = basename(argument);
    return { kind: "upload", upload_id: await upload(api, readArchive(argument), what, terminal) };
  }
  const { archive, files } = await packDirectory(argument);
  const what = `${basename(resolve(argument))} (${count(files, "file")})`;
  return { kind: "upload", upload_id: await upload(api, archive, what, terminal) };
}
