import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoutePoliciesConfig } from "#schemas/config/route-policies.ts";

/** A copy of configs/ to be changed while a stack runs on it. */
export function configsDirectory() {
  const directory = mkdtempSync(join(tmpdir(), "configs-"));
  cpSync("configs", directory, { recursive: true });
  const file = join(directory, "route_policies.json");
  const shipped: RoutePoliciesConfig = JSON.parse(readFileSync(file, "utf8"));
  return {
    directory,
    file,
    shipped,
    /** In one step, as a careful editor saves. */
    writePolicies(policies: RoutePoliciesConfig): void {
      writeFileSync(`${file}.new`, JSON.stringify(policies, null, 2));
      renameSync(`${file}.new`, file);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
