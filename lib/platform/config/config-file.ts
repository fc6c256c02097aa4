import { createHash } from "node:crypto";
import type { z } from "zod";
import type { ConfigDefinition, Deployment } from "#lib/platform/config/config-definitions.ts";
import { ConfigRejected, parseConfig } from "#lib/platform/config/parse-config.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { PolicyView } from "#schemas/http/policies.ts";

/** An event of a file that operators are told of. `event` is the log code and, in lower case, the metric. */
export interface ConfigEvent {
  level: "info" | "warn" | "error";
  event: "CONFIG_CHANGED" | "CONFIG_REJECTED" | "CONFIG_RECOVERED" | "CONFIG_UNREADABLE";
  sentence: string;
  fields: { file: string; [field: string]: unknown };
}

/** Why the content at the source is not in force. */
export interface Trouble {
  kind: "rejected" | "unreadable";
  /** SHA-256 of the refused bytes; null when no bytes were read. */
  hash: string | null;
  reason: string;
  /** Unix time in ms when it was first seen. */
  since: number;
}

function changed(file: string, old_hash: string, new_hash: string, source: string): ConfigEvent {
  return {
    level: "info",
    event: "CONFIG_CHANGED",
    sentence: `${file} changed and is in force`,
    fields: { file, old_hash, new_hash, source },
  };
}

function recovered(file: string, hash: string, source: string): ConfigEvent {
  return {
    level: "info",
    event: "CONFIG_RECOVERED",
    sentence: `the content at ${source} is valid again and in force`,
    fields: { file, hash, source },
  };
}

function inTrouble(
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

export interface Loaded<Value> {
  value: Value;
  /** SHA-256 of the file's bytes: what decisions are stamped with. */
  hash: string;
}

export interface ConfigFilePorts {
  now(): number;
  deployment(): Deployment;
  /** The file deployed with the code: in force until the source has given a good one. */
  bundled(name: string): { bytes: Uint8Array; place: string };
  /** A fault is reported only after it has lasted this long: an editor may still be saving the file. */
  settle_ms: number;
  tell(event: ConfigEvent): void;
}

const TOLD_MAX = 100;

/** One configuration file: its last valid content, and the fault of the present content, if any. */
export class ConfigFile<Schema extends z.ZodType = z.ZodType> {
  readonly #definition: ConfigDefinition<Schema>;
  readonly #ports: ConfigFilePorts;
  #good: (Loaded<z.output<Schema>> & { place: string; loaded_at: number }) | undefined;
  #trouble: Trouble | undefined;
  #last_rejected: PolicyView["last_rejected"] = null;
  /** Faults reported since the content was last valid: each is reported once. */
  readonly #told = new Set<string>();

  constructor(definition: ConfigDefinition<Schema>, ports: ConfigFilePorts) {
    this.#definition = definition;
    this.#ports = ports;
  }

  get name(): string {
    return this.#definition.name;
  }

  /** The last valid content. Throws an Error with the reason when there has been none. */
  current(): Loaded<z.output<Schema>> {
    if (this.#good) return this.#good;
    try {
      const { bytes, place } = this.#ports.bundled(this.name);
      const value = parseConfig(this.#definition, bytes, this.#ports.deployment());
      this.#good = { value, hash: sha256(bytes), place, loaded_at: this.#ports.now() };
      return this.#good;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`configuration ${this.name} has no valid version: ${reason}`, { cause });
    }
  }

  /** Takes the present content of the source, which is in force from now on if it is valid. */
  offer(bytes: Uint8Array, place: string): void {
    const hash = sha256(bytes);
    try {
      const same = this.#good?.hash === hash ? this.#good.value : undefined;
      this.#accept(same ?? parseConfig(this.#definition, bytes, this.#ports.deployment()), hash, place);
    } catch (error) {
      const reason =
        error instanceof ConfigRejected ? error.message : `it could not be checked: ${String(error)}`;
      this.#suspect("rejected", hash, reason);
    }
  }

  /** Records that the source could not be read, or that the file is too large (ConfigRejected). */
  fail(error: unknown): void {
    if (error instanceof ConfigRejected) this.#suspect("rejected", null, error.message);
    else this.#suspect("unreadable", null, error instanceof Error ? error.message : String(error));
  }

  view(): PolicyView {
    const good = this.#goodOrNone();
    return {
      file: this.name,
      schema: this.#definition.schema_id,
      hash: good?.hash ?? null,
      source: good?.place ?? null,
      loaded_at: good ? instant(good.loaded_at) : null,
      age_seconds: good ? Math.max(0, Math.floor((this.#ports.now() - good.loaded_at) / 1000)) : null,
      state: this.#trouble?.kind ?? "in_force",
      reason: this.#trouble?.reason ?? null,
      last_rejected: this.#last_rejected,
    };
  }

  #accept(value: z.output<Schema>, hash: string, place: string): void {
    const old = this.#good;
    this.#trouble = undefined;
    if (old?.hash === hash) old.place = place;
    else this.#good = { value, hash, place, loaded_at: this.#ports.now() };
    if (old && old.hash !== hash) this.#ports.tell(changed(this.name, old.hash, hash, place));
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.#ports.tell(recovered(this.name, hash, place));
  }

  #suspect(kind: Trouble["kind"], hash: string | null, reason: string): void {
    const now = this.#ports.now();
    const before = this.#trouble;
    const same = before?.kind === kind && before.hash === hash && before.reason === reason;
    const trouble = same ? before : { kind, hash, reason, since: now };
    this.#trouble = trouble;
    if (now - trouble.since < this.#ports.settle_ms) return;
    const key = kind === "rejected" ? `${hash} ${reason}` : kind;
    if (this.#told.has(key)) return;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(key);
    if (kind === "rejected") this.#last_rejected = { at: instant(trouble.since), hash, reason };
    this.#ports.tell(inTrouble(this.name, trouble, this.#goodOrNone()));
  }

  /** The content in force, or undefined. */
  #goodOrNone() {
    try {
      this.current();
    } catch {
      return undefined; // `current` gives the reason to callers that need a value
    }
    return this.#good;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
