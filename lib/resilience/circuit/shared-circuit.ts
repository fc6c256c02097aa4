import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { forceInForce } from "#lib/resilience/circuit/circuit-moves.ts";
import {
  type CircuitPorts,
  type Contribution,
  mergeCircuit,
  readCircuit,
  type SharedState,
} from "#lib/resilience/circuit/circuit-table.ts";
import { LocalCounts } from "#lib/resilience/circuit/local-counts.ts";
import { moveCircuit } from "#lib/resilience/circuit/move-circuit.ts";
import { tableInTime } from "#lib/resilience/circuit/table-in-time.ts";
import {
  columnsOver,
  countedSince,
  partOf,
  secondOf,
  sumsOf,
  sumTraffic,
  type Traffic,
} from "#lib/resilience/circuit/traffic.ts";
import { isTroubled } from "#lib/resilience/circuit/trouble.ts";
import { WellRate } from "#lib/resilience/circuit/well-rate.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** A view of the shared state is never older than this when a call is decided upon… */
const STALE_MS_MAX = 4000;
/** …nor than this while there is trouble. Also the least time between two writes of counts. */
const TROUBLED_MS = 1000;
/** A view this old is none: `when_unknown` decides. */
const UNKNOWN_MS = 30_000;

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
  /** What this environment counted. */
  readonly local = new LocalCounts();
  readonly #rate = new WellRate();

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
    return this.unknown ? this.local.streak : this.local.streakAfter(this.record?.streak ?? 0);
  }

  /** Too long without a word from the table. */
  get unknown(): boolean {
    return this.#unreadable && this.#age(this.#read_at) > UNKNOWN_MS;
  }

  /** What counts now: everybody's as last read, and what is new here. */
  traffic(): Traffic[] {
    if (this.unknown) return [this.local.own];
    return [...(this.#state ? [this.#state.traffic] : []), this.local.pending];
  }

  counts(policy: CircuitPolicy): Map<string, number> {
    return sumTraffic(this.traffic(), this.#since(policy));
  }

  count(policy: CircuitPolicy, ...names: string[]): void {
    const part = partOf(this.#ports.runtime.now(), policy);
    this.local.count(Math.max(part, this.#counted_from), names, this.#since(policy));
  }

  /** The second it is, as `countAt` takes it. */
  second(): number {
    return Math.max(secondOf(this.#ports.runtime.now()), this.#counted_from);
  }

  /** Counts (or takes back) one of those that are counted by the second. */
  countAt(second: number, name: "passed" | "ended", policy: CircuitPolicy, amount: 1 | -1 = 1): void {
    this.local.count(second, [name], this.#since(policy), amount);
  }

  /** A call was under way for so long, and then failed or was answered. */
  ended(failed: boolean, elapsed_ms: number, { window_seconds }: CircuitPolicy): void {
    this.local.busy(elapsed_ms);
    if (failed) this.local.failed(this.#ports.runtime.now(), window_seconds * 1000);
    else this.local.succeeded();
  }

  /** Before a decision: reads the shared state when the view of it is too old. Never throws. */
  async look(policy: CircuitPolicy, log: Log): Promise<void> {
    const troubled = this.#isTroubled(policy);
    const age_max = troubled ? TROUBLED_MS : Math.min(STALE_MS_MAX, policy.window_seconds * 1000);
    if (this.#age(this.#read_at) < age_max) return;
    const merging = troubled && this.#isSharing() && this.#age(this.#merged_at) >= TROUBLED_MS;
    await this.#sync(policy, merging, log);
  }

  /** After a call: shares the counts once a window, and sooner when there is trouble, or at once. Never throws. */
  async share(policy: CircuitPolicy, log: Log, at_once = false): Promise<void> {
    if (!this.#isSharing()) return;
    const age_min = this.#isTroubled(policy) ? TROUBLED_MS : policy.window_seconds * 1000;
    if (at_once || this.#age(this.#merged_at) >= age_min) await this.#sync(policy, true, log);
  }

  /** Makes a transition, from the state it was decided on. False when another one came first. Throws without table. */
  async move(next: CircuitRecord): Promise<boolean> {
    const { runtime } = this.#ports;
    const moved = await moveCircuit(next, runtime.now(), this.#ports);
    if (moved) this.local.startOver();
    const traffic = this.#state?.traffic ?? new Map();
    this.#state = moved ? { record: next, traffic } : await readCircuit(this.key, this.#ports);
    this.#read_at = runtime.now();
    return moved;
  }

  /** What was counted before is of an earlier state; what is counted in the rest of that part is not. */
  get #counted_from(): number {
    return this.record?.counted_from ?? 0;
  }

  #isSharing(): boolean {
    const closed = (this.record?.state ?? "closed") === "closed";
    const force = forceInForce(this.record, this.#ports.runtime.now());
    return closed && force?.state !== "open" && this.local.pending.size > 0;
  }

  #isTroubled(policy: CircuitPolicy): boolean {
    const own = sumsOf(sumTraffic([this.local.own], this.#since(policy)));
    return isTroubled(this.record, this.#ports.runtime.now(), [own, sumsOf(this.counts(policy))]);
  }

  #since(policy: CircuitPolicy): number {
    return countedSince(this.#ports.runtime.now(), this.#counted_from, policy);
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
      if (merging) this.#rate.notice(this.#state?.traffic, asked_at, well);
      if (this.#unreadable) log.info("CIRCUIT_STATE_READABLE", `the state of ${this.key} is read again`);
      this.#unreadable = false;
    } catch (error) {
      const fields = { circuit: this.key, when_unknown: policy.when_unknown };
      const sentence = `the state of ${this.key} cannot be read: ${String(error)}`;
      if (!this.#unreadable) log.warn("CIRCUIT_STATE_UNREADABLE", sentence, fields);
      this.#unreadable = true;
    }
  }

  #contribute(policy: CircuitPolicy): Contribution {
    const now = this.#ports.runtime.now();
    this.#merged_at = now;
    const since = this.#since(policy);
    const how = { window_ms: policy.window_seconds * 1000, with_tenants: this.#isTroubled(policy) };
    const taken = this.local.take({ now, since, ...how });
    return { ...taken, well: this.#rate.take(), over: columnsOver(this.#state?.traffic, since) };
  }
}
