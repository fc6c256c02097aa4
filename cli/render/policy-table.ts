import type { Policies } from "#schemas/http/policies.ts";
import { formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";

const HASH_CHARACTERS = 12;

/** One line a file: version, since when, from where; below it why a newer version is not in force. */
export function policyTable({ policies, source, service }: Policies, paint: Paint): string[] {
  const width = Math.max(0, ...policies.map(({ file }) => file.length));
  const lines = policies.flatMap((policy) => {
    const sign = policy.state === "in_force" ? paint.green("✓") : paint.red("✗");
    const hash = policy.hash?.slice(0, HASH_CHARACTERS) ?? "none".padEnd(HASH_CHARACTERS);
    const since = policy.age_seconds === null ? "" : `for ${formatDuration(policy.age_seconds * 1000)}`;
    const line = `${sign} ${policy.file.padEnd(width)}  ${hash}  ${since.padStart(16)}  ${policy.source ?? ""}`;
    return [line.trimEnd(), ...notes(policy, paint)];
  });
  return [...lines, paint.dim(`Changes are taken from ${source}; this is how the ${service} sees them.`)];
}

function notes({ state, reason, last_rejected }: Policies["policies"][number], paint: Paint): string[] {
  if (state === "rejected") return [paint.red(`  What is there now is refused: ${reason}`)];
  if (state === "unreadable") return [paint.yellow(`  Its source cannot be read: ${reason}`)];
  if (!last_rejected) return [];
  return [paint.dim(`  Mended. Refused at ${last_rejected.at}: ${last_rejected.reason}`)];
}
