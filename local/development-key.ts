import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface KeyOptions {
  table_name: string | undefined;
  pepper: string;
  credentials_file: string;
  url: string;
  tenant: string;
}

/**
 * Makes the key that opens the HTTP API, through the service's own `lib/http/auth/development-key.ts`.
 * Answers the file it is in; undefined for a service without keys.
 */
export async function ensureKey(service_directory: string, options: KeyOptions): Promise<string | undefined> {
  const module = join(service_directory, "lib/http/auth/development-key.ts");
  if (!options.table_name || !existsSync(module)) return undefined;
  const { ensureDevelopmentKey } = await import(pathToFileURL(module).href);
  await ensureDevelopmentKey(options);
  return options.credentials_file;
}

/** A secret of this data directory, such as what its keys are hashed with; made once. On AWS it is in Secrets Manager. */
export function ensureSecret(data_directory: string, name: "pepper" | "webhook-secret-root"): string {
  const file = join(data_directory, name);
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (kept.length >= 32) return kept;
  const secret = randomBytes(32).toString("hex");
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return secret;
}
