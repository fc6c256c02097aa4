import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { HttpError } from "#lib/platform/errors/http-error.ts";

/** Folder of the built console, beside the function's code; scripts/build/build-console.ts fills it. */
const FOLDER = ".console";

export type ConsoleFileName = "index.html" | "app.js" | "app.css";

/** One file of the console as it is sent. */
export interface ConsoleFile {
  bytes: Buffer;
  gzipped: Buffer;
  /** First 16 hex digits of the SHA-256 of `bytes`; the page asks for the file under it. */
  version: string;
}

const VERSION_CHARACTERS = 16;
const compress = promisify(gzip);
/** By path. */
const kept = new Map<string, { changed_ms: number; file: ConsoleFile }>();

/** Reads a file of the console, once until it changes. Throws HttpError 503 `CONSOLE_NOT_BUILT` where it is missing. */
export async function consoleFile(name: ConsoleFileName, folder = FOLDER): Promise<ConsoleFile> {
  const path = join(folder, name);
  try {
    const { mtimeMs: changed_ms } = await stat(path);
    const known = kept.get(path);
    if (known?.changed_ms === changed_ms) return known.file;
    const bytes = await readFile(path);
    const version = createHash("sha256").update(bytes).digest("hex").slice(0, VERSION_CHARACTERS);
    const file = { bytes, gzipped: await compress(bytes, { level: 9 }), version };
    kept.set(path, { changed_ms, file });
    return file;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const detail = `${path} is missing: npm run console makes it, as npm start and npm run package do`;
    throw Object.assign(new HttpError("CONSOLE_NOT_BUILT", detail), { cause });
  }
}
