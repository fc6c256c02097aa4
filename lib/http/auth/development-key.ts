import { chmod, readFile, writeFile } from "node:fs/promises";
import { issueApiKey } from "#lib/http/auth/issue-api-key.ts";
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
 */
export async function ensureDevelopmentKey(options: DevelopmentKey): Promise<void> {
  const { table_name, pepper, credentials_file, url, tenant } = options;
  const ports = { table: documentClient(), table_name, runtime: systemRuntime, pepper };
  const kept = await readFile(credentials_file, "utf8").then(
    (text) => JSON.parse(text) as { key?: unknown },
    () => undefined,
  );
  const key = typeof kept?.key === "string" && (await works(kept.key)) ? kept.key : await issue();
  await writeFile(credentials_file, `${JSON.stringify({ url, tenant, key }, null, 2)}\n`, { mode: 0o600 });
  await chmod(credentials_file, 0o600); // one that was there keeps its mode otherwise

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

function hasEveryScope({ scopes }: { scopes: readonly Scope[] }): boolean {
  return Scope.options.every((scope) => scopes.includes(scope));
}
