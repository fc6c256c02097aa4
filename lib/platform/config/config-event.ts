import { instant } from "#lib/platform/runtime/runtime.ts";

/** Something an operator should know of a file. `event` is the code of the log line and, in lower case, the metric. */
export interface ConfigEvent {
  level: "info" | "warn" | "error";
  event: "CONFIG_CHANGED" | "CONFIG_REJECTED" | "CONFIG_RECOVERED" | "CONFIG_UNREADABLE";
  sentence: string;
  fields: { file: string; [field: string]: unknown };
}

/** Why what a source holds is not in force. */
export interface Trouble {
  kind: "rejected" | "unreadable";
  /** SHA-256 of the refused bytes; null when there was nothing to hash. */
  hash: string | null;
  reason: string;
  /** Unix time in ms of the first look. */
  since: number;
}

export function changed(file: string, old_hash: string, new_hash: string, source: string): ConfigEvent {
  return {
    level: "info",
    event: "CONFIG_CHANGED",
    sentence: `${file} changed and is in force`,
    fields: { file, old_hash, new_hash, source },
  };
}

export function recovered(file: string, hash: string, source: string): ConfigEvent {
  return {
    level: "info",
    event: "CONFIG_RECOVERED",
    sentence: `what ${source} holds is good again and in force`,
    fields: { file, hash, source },
  };
}

export function inTrouble(
  file: string,
  { kind, hash, reason, since }: Trouble,
  good: { hash: string; place: string } | undefined,
): ConfigEvent {
  const stays = good ? `the version from ${good.place} is in force` : "and there is no valid version";
  const in_force = { in_force: good?.hash, in_force_source: good?.place };
  const fields = { file, reason, ...(hash && { hash }), ...in_force, since: instant(since) };
  return kind === "rejected"
    ? {
        level: "error",
        event: "CONFIG_REJECTED",
        sentence: `a change of ${file} is refused; ${stays}`,
        fields,
      }
    : {
        level: "warn",
        event: "CONFIG_UNREADABLE",
        sentence: `${file} cannot be read from its source; ${stays}`,
        fields,
      };
}
