import { forceInForce } from "#lib/circuit/circuit-moves.ts";
import {
  type CircuitPorts,
  type Contribution,
  mergeCircuit,
  readCircuit,
  type SharedState,
} from "#lib/circuit/circuit-table.ts";
import { LocalCounts } from "#lib/circuit/local-counts.ts";
import { moveCircuit } from "#lib/circuit/move-circuit.ts";
import { tableInTime } from "#lib/circuit/table-in-time.ts";
import {
  ALWAYS,
  countedSince,
  partOf,
  type Sums,
  sumsOf,
  sumTraffic,
  type Traffic,
} from "#lib/circuit/traffic.ts";
import type { Log } from "#lib/log/log.ts";
import type { Runtime } from "#lib/runtime/runtime.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** A view of the shared state is never older than this when a call is decided upon… */
const STALE_MS_MAX = 4000;
/** …nor than this while there is trouble. Also the least time between two writes of counts. */
const TROUBLED_MS = 1000;
/** A view this old is none: `when_unknown` decides. */
const UNKNOWN_MS = 30_000;
/** Failures, slow and damped calls beyond this share of all are trouble. */
const TROUBLE_SHARE = 0.1;

interface SharedPorts extends CircuitPorts {
  runtime: Runtime;
}

/** One circuit as one environment knows it: what it read of the shared state, and what it adds to it. */
export class SharedCircuit {
  readonly key: string;
  readonly tenant: string | undefined;
  readonly #ports: SharedPorts;
  #state: SharedState | undefined;
  #read_at: number | undefined;
  #tried_at: number | undefined;
  #merged_at: number | undefined;
  #unreadable = false;
  #syncing: Promise<void> | undefined;
  readonly #local = new LocalCounts();
  /** What was asked for ever, when this environment last told its own and all was well. */
  #mark: { at: number; asked: number } | undefined;
  #per_second: number | undefined;

  constructor({ key, tenant }: { key: string; tenant: string | undefined }, ports: SharedPorts) {
    this.key = key;
    this.tenant = tenant;
    this.#ports = ports;
  }

  get record(): CircuitRecord | undefined {
    return this.#state?.record;
  }

  /** Failures in a row: of the fleet, or where that is unknown of this environment. */
  get streak(): number {
    return this.unknown ? this.#local.streak : this.#local.streakAfter(this.record?.streak ?? 0);
  }

  /** When this environment last saw a failure, Unix ms. */
  get failed_at(): number | undefined {
    return this.#local.failed_at;
  }

  /** Too long without a word from the table. */
  get unknown(): boolean {
    return this.#unreadable && this.#age(this.#read_at) > UNKNOWN_MS;
  }

  /** What counts now: everybody's as last read, and what is new here. */
  traffic(): Traffic[] {
    if (this.unknown) return [this.#local.own];
    return [...(this.#state ? [this.#state.traffic] : []), this.#local.pending];
  }

  counts(policy: CircuitPolicy): Map<string, number> {
    return sumTraffic(this.traffic(), this.#since(policy));
  }

  sums(policy: CircuitPolicy): Sums {
    return sumsOf(this.counts(policy));
  }

  count(policy: CircuitPolicy, ...names: string[]): void {
    this.#local.count(partOf(this.#ports.runtime.now(), policy), names, this.#since(policy));
  }

  succeeded(): void {
    this.#local.succeeded();
  }

  failed({ window_seconds }: CircuitPolicy): void {
    this.#local.failed(this.#ports.runtime.now(), window_seconds * 1000);
  }

  /** Before a decision: reads the shared state when the view of it is too old. Never throws. */
  async look(policy: CircuitPolicy, log: Log): Promise<void> {
    const troubled = this.#isTroubled(policy);
    const age_max = troubled ? TROUBLED_MS : Math.min(STALE_MS_MAX, policy.window_seconds * 1000);
    if (this.#age(this.#read_at) < age_max) return;
    const merging = troubled && this.#isSharing() && this.#age(this.#merged_at) >= TROUBLED_MS;
    await this.#sync(policy, merging, log);
  }

  /** After a call: shares the counts once a window, and sooner when there is trouble. Never throws. */
  async share(policy: CircuitPolicy, log: Log): Promise<void> {
    if (!this.#isSharing()) return;
    const age_min = this.#isTroubled(policy) ? TROUBLED_MS : policy.window_seconds * 1000;
    if (this.#age(this.#merged_at) >= age_min) await this.#sync(policy, true, log);
  }

  /** Shares the counts at once, for those who decide after this. Never throws. */
  async tell(policy: CircuitPolicy, log: Log): Promise<void> {
    if (this.#isSharing()) await this.#sync(policy, true, log);
  }

  /** Makes a transition, from the state it was decided on. False when another one came first. Throws without table. */
  async move(next: CircuitRecord): Promise<boolean> {
    const { runtime } = this.#ports;
    const moved = await moveCircuit(next, runtime.now(), this.#ports);
    if (moved) {
      this.#state = { record: next, traffic: this.#state?.traffic ?? new Map() };
      this.#local.startOver();
    } else {
      this.#state = await readCircuit(this.key, this.#ports);
    }
    this.#read_at = runtime.now();
    return moved;
  }

  #isSharing(): boolean {
    const { now } = this.#ports.runtime;
    const closed = (this.record?.state ?? "closed") === "closed";
    return closed && forceInForce(this.record, now())?.state !== "open" && this.#local.pending.size > 0;
  }

  #isTroubled(policy: CircuitPolicy): boolean {
    const { record } = this;
    if (record && (record.state !== "closed" || record.forced)) return true;
    if ((record?.recovering_until ?? 0) > this.#ports.runtime.now()) return true;
    // An environment with few calls would else keep its failures to itself for a window.
    const own = sumsOf(sumTraffic([this.#local.own], this.#since(policy)));
    return isTrouble(own) || isTrouble(this.sums(policy));
  }

  #since(policy: CircuitPolicy): number {
    return countedSince(this.#ports.runtime.now(), this.record?.counted_from ?? 0, policy);
  }

  /** How long ago; without end for never, and for a clock that was set back. */
  #age(since: number | undefined): number {
    const age_ms = this.#ports.runtime.now() - (since ?? Number.NEGATIVE_INFINITY);
    return age_ms < 0 ? Number.POSITIVE_INFINITY : age_ms;
  }

  async #sync(policy: CircuitPolicy, merging: boolean, log: Log): Promise<void> {
    if (this.#syncing) return this.#syncing;
    if (this.#unreadable && this.#age(this.#tried_at) < TROUBLED_MS) return;
    this.#syncing = this.#exchange(policy, merging, log).finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #exchange(policy: CircuitPolicy, merging: boolean, log: Log): Promise<void> {
    const { runtime } = this.#ports;
    const asked_at = runtime.now();
    this.#tried_at = asked_at;
    const well = !this.#isTroubled(policy);
    const answer = merging
      ? mergeCircuit({ key: this.key, tenant: this.tenant }, this.#contribute(policy), asked_at, this.#ports)
      : readCircuit(this.key, this.#ports);
    try {
      const state = await tableInTime(answer, runtime);
      // A transition of ours may have been made meanwhile.
      if ((state?.record.generation ?? 0) >= (this.record?.generation ?? 0)) this.#state = state;
      this.#read_at = asked_at;
      if (merging) this.#measure(asked_at, well);
      if (this.#unreadable) log.info("CIRCUIT_STATE_READABLE", `the state of ${this.key} is read again`);
      this.#unreadable = false;
    } catch (error) {
      if (!this.#unreadable) {
        log.warn("CIRCUIT_STATE_UNREADABLE", `the state of ${this.key} cannot be read: ${String(error)}`, {
          circuit: this.key,
          when_unknown: policy.when_unknown,
        });
      }
      this.#unreadable = true;
    }
  }

  /**
   * The rate while all is well, between the last two times this environment told its own. The window's
   * counts say less: they lack what others have not told yet.
   */
  #measure(at: number, well: boolean): void {
    const asked = this.#state?.traffic.get(ALWAYS)?.get("asked") ?? 0;
    const mark = this.#mark;
    if (well && mark && at > mark.at) {
      this.#per_second = (1000 * Math.max(0, asked - mark.asked)) / (at - mark.at);
    }
    this.#mark = well ? { at, asked } : undefined;
  }

  #contribute(policy: CircuitPolicy): Contribution {
    const now = this.#ports.runtime.now();
    const since = this.#since(policy);
    this.#merged_at = now;
    const window_ms = policy.window_seconds * 1000;
    const taken = this.#local.take({ now, since, window_ms, with_tenants: this.#isTroubled(policy) });
    const over = [...(this.#state?.traffic ?? [])].flatMap(([part, counts]) =>
      part < since && part !== ALWAYS ? [...counts.keys()].map((name) => `${part}|${name}`) : [],
    );
    const per_second = this.#per_second;
    this.#per_second = undefined;
    return { ...taken, per_second, over };
  }
}

function isTrouble({ calls, failures, slow, damped }: Sums): boolean {
  return failures + slow + damped > TROUBLE_SHARE * (calls + damped);
}
