import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { issueApiKey } from "#lib/http/auth/api-key.ts";
import { verifyApiKey } from "#lib/http/auth/verify-api-key.ts";
import { documentClient } from "#lib/platform/aws/clients.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { Scope } from "#schemas/records/api-key.ts";

interface DevelopmentKey {
  table_name: string;
  pepper: string;
  /** Written with mode 0600: `{ url, tenant, key }`. */
  credentials_file: string;
  url: string;
  tenant: string;
}

/**
 * Gives a developer's own stack a key with every scope and no end, kept in a file; the one that is
 * there stays while it works.
 *
 * @throws Error that names the file, when it is none of ours
 */
export async function ensureDevelopmentKey(options: DevelopmentKey): Promise<void> {
  const { table_name, pepper, credentials_file, url, tenant } = options;
  const ports = { table: documentClient(), table_name, runtime: systemRuntime, pepper };
  const kept = keptKey(credentials_file);
  const key = kept !== undefined && (await works(kept)) ? kept : await issue();
  writeWhole(credentials_file, `${JSON.stringify({ url, tenant, key }, null, 2)}\n`);

  async function works(text: string): Promise<boolean> {
    const log = jsonLog({ service: "local" });
    const verdict = await verifyApiKey(text, { ...ports, last_used_minutes: 1440, log });
    return "identity" in verdict && verdict.identity.tenant === tenant && hasEveryScope(verdict.identity);
  }

  async function issue(): Promise<string> {
    const wish = { tenant, name: "development", scopes: Scope.options, created_by: "local" };
    return (await issueApiKey(wish, ports)).key;
  }
}

function keptKey(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  let key: unknown;
  try {
    ({ key } = JSON.parse(readFileSync(file, "utf8")) as { key?: unknown });
  } catch (cause) {
    throw damaged(
      file,
      "is not the JSON document that the stack writes",
      "the next start makes a new key",
      cause,
    );
  }
  if (typeof key === "string") return key;
  throw damaged(file, "holds no key", "the next start makes a new one");
}

/** A secret of this data directory, such as what its keys are hashed with; made once. On AWS it is in Secrets Manager. */
export function ensureSecret(directory: string, name: "pepper" | "webhook-secret-root"): string {
  const file = `${directory}/${name}`;
  if (existsSync(file)) {
    const kept = readSecret(file);
    if (/^[0-9a-f]{64}$/.test(kept)) return kept;
    const lost = name === "pepper" ? "API keys" : "webhook secrets";
    throw damaged(
      file,
      "does not hold the secret that was written there",
      `the ${lost} made so far end with it`,
    );
  }
  const secret = randomBytes(32).toString("hex");
  writeWhole(file, `${secret}\n`);
  return secret;
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    return (error as Error).message;
  }
}

function damaged(file: string, what: string, then: string, cause?: unknown): Error {
  return new Error(`${file} ${what}. Restore it from a copy, or delete it: ${then}.`, { cause });
}

/** A process that dies meanwhile leaves the old file or the new one, never a part of it. */
function writeWhole(file: string, text: string): void {
  const next = `${file}.next`;
  writeFileSync(next, text, { mode: 0o600 });
  chmodSync(next, 0o600); // one that was left there keeps its mode otherwise
  renameSync(next, file);
}

function hasEveryScope({ scopes }: { scopes: readonly Scope[] }): boolean {
  return Scope.options.every((scope) => scopes.includes(scope));
}
