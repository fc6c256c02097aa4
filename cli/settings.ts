import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { CliError, UsageError } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";

/** Where the API is and the key it is asked with. */
export interface Settings {
  url: string;
  key: string;
}

const Credentials = z.looseObject({ url: z.url(), key: z.string().min(1) });
const CREDENTIALS_PATH = join(".local", "credentials.json");
const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

/** Read a credentials file as the local stack writes it. @throws CliError when it cannot be understood */
export function readCredentials(file: string): Settings {
  try {
    const { url, key } = Credentials.parse(JSON.parse(readFileSync(file, "utf8")));
    return { url, key };
  } catch (cause) {
    throw new CliError(exitCode.unreachable, "CREDENTIALS_UNREADABLE", `${file} holds no url and key.`, {
      hints: ["Restart the stack with `npm start`, which writes it anew."],
      cause,
    });
  }
}

/** The nearest credentials file: upwards from a directory, then the repository's own. */
function nearestCredentials(from: string): Settings | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const file = join(directory, CREDENTIALS_PATH);
    if (existsSync(file)) return readCredentials(file);
    if (directory === dirname(directory)) break;
  }
  const own = join(REPOSITORY, CREDENTIALS_PATH);
  return existsSync(own) ? readCredentials(own) : undefined;
}

function origin(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`Not an http(s) URL: ${url}`, "Give one as in --url http://127.0.0.1:3001");
  }
  return parsed.origin;
}

/** A key travels in a header, which takes no other characters (RFC 9110, section 5.5). The message has nothing of it. */
function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError(
    "The key is not one: it has a blank, a line break or a character beyond ASCII.",
    "Give one with --key or AGENTS_KEY, as it was shown when it was made.",
  );
}

/**
 * Flags before environment before the nearest credentials file. The file's key goes to the file's
 * URL only, so naming another URL never sends it a key meant for this machine.
 * @throws CliError when a URL or key is missing
 */
export function resolveSettings(
  flags: { url?: string; key?: string },
  env: Record<string, string | undefined>,
  cwd: string,
): Settings {
  const given_url = flags.url ?? (env.AGENTS_URL || undefined);
  const given_key = checkedKey(flags.key ?? (env.AGENTS_KEY || undefined));
  if (given_url !== undefined && given_key !== undefined) return { url: origin(given_url), key: given_key };
  const found = nearestCredentials(cwd);
  const url = given_url === undefined ? found?.url : given_url;
  if (url === undefined) {
    throw new CliError(exitCode.unreachable, "NO_SETTINGS", "No API to speak to.", {
      hints: ["Start the stack with `npm start`, or give --url and --key (AGENTS_URL and AGENTS_KEY)."],
    });
  }
  const key = given_key ?? (found && origin(found.url) === origin(url) ? found.key : undefined);
  if (key === undefined) {
    throw new CliError(exitCode.unreachable, "NO_KEY", `No key for ${url}.`, {
      hints: ["Give one with --key or AGENTS_KEY."],
    });
  }
  return { url: origin(url), key };
}
