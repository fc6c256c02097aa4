import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The operator's files with less patience, so that a run takes minutes. Attempts are
 * nearly as many as a queue's receives: a step that is killed again and again must not end for that
 * here, and should it, by the policy and not by the queue.
 */
export function impatientConfigs(): string {
  const directory = mkdtempSync(join(tmpdir(), "chaos-configs-"));
  cpSync(fileURLToPath(new URL("../../configs", import.meta.url)), directory, { recursive: true });
  const file = join(directory, "retry_policy.json");
  const shipped = JSON.parse(readFileSync(file, "utf8"));
  const defaults = { ...shipped.defaults, attempts_max: 18 };
  const policy = { ...shipped, redispatch_seconds: 5, defaults };
  writeFileSync(file, JSON.stringify(policy));
  return directory;
}
