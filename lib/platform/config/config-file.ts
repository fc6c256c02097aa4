import { createHash } from "node:crypto";
import type { z } from "zod";
import type { ConfigDefinition, Deployment } from "#lib/platform/config/config-definitions.ts";
import {
  type ConfigEvent,
  changed,
  inTrouble,
  recovered,
  type Trouble,
} from "#lib/platform/config/config-event.ts";
import { ConfigRejected } from "#lib/platform/config/config-rejected.ts";
import { parseConfig } from "#lib/platform/config/parse-config.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { PolicyView } from "#schemas/http/policies.ts";

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
  /** A fault must last this long to be told: an editor may be in the middle of saving. */
  settle_ms: number;
  tell(event: ConfigEvent): void;
}

const TOLD_MAX = 100;

/** One configuration file through its changes: the last good content, and what is wrong with the present one. */
export class ConfigFile<Schema extends z.ZodType = z.ZodType> {
  readonly #definition: ConfigDefinition<Schema>;
  readonly #ports: ConfigFilePorts;
  #good: (Loaded<z.output<Schema>> & { place: string; loaded_at: number }) | undefined;
  #trouble: Trouble | undefined;
  #last_rejected: PolicyView["last_rejected"] = null;
  /** Faults told since the content was last good: each is told once. */
  readonly #told = new Set<string>();

  constructor(definition: ConfigDefinition<Schema>, ports: ConfigFilePorts) {
    this.#definition = definition;
    this.#ports = ports;
  }

  get name(): string {
    return this.#definition.name;
  }

  /** The last good content. Throws when there has been none, saying why. */
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

  /** What the source holds now; in force from here on if it is good. */
  offer(bytes: Uint8Array, place: string): void {
    const hash = sha256(bytes);
    try {
      const same = this.#good?.hash === hash ? this.#good.value : undefined;
      this.#accept(same ?? parseConfig(this.#definition, bytes, this.#ports.deployment()), hash, place);
    } catch (error) {
      const reason =
        error instanceof ConfigRejected ? error.message : `it cannot be judged: ${String(error)}`;
      this.#suspect("rejected", hash, reason);
    }
  }

  /** The source gave nothing to judge: it does not answer, or holds far too much (ConfigRejected). */
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

  /** What a decision made now would rest on. */
  #goodOrNone() {
    try {
      this.current();
    } catch {
      return undefined; // who needs a value is told why
    }
    return this.#good;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
