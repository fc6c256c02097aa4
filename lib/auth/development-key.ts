import { readFile, writeFile } from "node:fs/promises";
import { issueApiKey, tenantOfApiKey } from "#lib/auth/api-keys.ts";
import { documentClient } from "#lib/aws/clients.ts";
import { systemRuntime } from "#lib/runtime/runtime.ts";

interface DevelopmentKey {
  table_name: string;
  /** Written with mode 0600: `{ url, tenant, key }`. */
  credentials_file: string;
  url: string;
  tenant: string;
}

/** Gives a developer's own stack a key, kept in a file; the one that is there stays while it works. */
export async function ensureDevelopmentKey({ table_name, credentials_file, url, tenant }: DevelopmentKey) {
  const ports = { table: documentClient(), table_name, runtime: systemRuntime };
  const kept = await readFile(credentials_file, "utf8").then(
    (text) => JSON.parse(text) as { key?: string },
    () => undefined,
  );
  const works = kept?.key && (await tenantOfApiKey(kept.key, ports)) === tenant;
  const key = works ? kept.key : await issueApiKey(tenant, ports);
  await writeFile(credentials_file, `${JSON.stringify({ url, tenant, key }, null, 2)}\n`, { mode: 0o600 });
}
