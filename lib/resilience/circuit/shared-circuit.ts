import type { Log } from "#lib/platform/log/log.ts";
import { answerInTime } from "#lib/platform/runtime/answer-in-time.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import {
  type CallCounts,
  isTroubled,
  LocalCounts,
  outdatedColumns,
  secondAt,
  sliceAt,
  type Totals,
  totalsOf,
  UsualLoadMeter,
  windowStart,
} from "#lib/resilience/circuit/call-counts.ts";
import { forceInForce } from "#lib/resilience/circuit/circuit-state.ts";
import {
  addCounts,
  readCircuit,
  type SharedState,
  writeTransition,
} from "#lib/resilience/circuit/circuit-table.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** A decision never rests on a view of the shared state that is older than this… */
const VIEW_AGE_MS_MAX = 4000;
/** …nor than this in trouble. Also the shortest time between two writes of counts. */
const VIEW_AGE_MS_TROUBLED = 1000;
/** A view older than this counts as none: the policy's `when_unknown` decides. */
const VIEW_AGE_MS_UNKNOWN = 30_000;
/** The call goes on without the table when it does not answer in this time. */
const ANSWER_MS_MAX = 1000;

interface Circuit {
  readonly key: string;
  readonly tenant: string | undefined;
  /** In force: the guard sets both before each call. */
  policy: CircuitPolicy;
  policy_hash: string;
}

/** One environment's view of one circuit: the state it read from the table, and the calls it counts. */
export class SharedCircuit implements Circuit {
  readonly key: string;
  readonly tenant: string | undefined;
  policy: CircuitPolicy;
  policy_hash: string;
  readonly #local = new LocalCounts();
  readonly #ports: TablePorts & { runtime: Runtime };
  readonly #meter = new UsualLoadMeter();
  #state: SharedState | undefined;
  /** Unix ms of the last read that succeeded, of the last that was tried, and of the last write of counts. */
  #read_at: number | undefined;
  #tried_at: number | undefined;
  #shared_at: number | undefined;
  #unreadable = false;
  #syncing: Promise<void> | undefined;

  constructor({ key, tenant, policy, policy_hash }: Circuit, ports: TablePorts & { runtime: Runtime }) {
    this.key = key;
    this.tenant = tenant;
    this.policy = policy;
    this.policy_hash = policy_hash;
    this.#ports = ports;
  }

  get record(): CircuitRecord | undefined {
    return this.#state?.record;
  }

  /** Failures in a row: in the fleet, or in this environment when the state is unknown. */
  get streak(): number {
    return this.unknown ? this.#local.streak : this.#local.streakAfter(this.record?.streak ?? 0);
  }

  /** Unix ms of the last failure in this environment. */
  get failed_at(): number | undefined {
    return this.#local.failed_at;
  }

  /** Whether the table has not answered for too long. */
  get unknown(): boolean {
    return this.#unreadable && this.#age(this.#read_at) > VIEW_AGE_MS_UNKNOWN;
  }

  /** The counts to decide by: everybody's as last read, and those of this environment since. */
  counts(): CallCounts[] {
    if (this.unknown) return [this.#local.own];
    return [...(this.#state ? [this.#state.counts] : []), this.#local.unshared];
  }

  /** The same, added up over the window. */
  get totals(): Totals {
    return totalsOf(this.counts(), this.#window_start);
  }

  count(...names: string[]): void {
    const slice = sliceAt(this.#ports.runtime.now(), this.policy);
    this.#local.count(Math.max(slice, this.#counted_from), names, this.#window_start);
  }

  /** The slice of the present second, for `countAt`. */
  second(): number {
    return Math.max(secondAt(this.#ports.runtime.now()), this.#counted_from);
  }

  /** Adds to, or takes from, what is counted by the second. */
  countAt(second: number, name: "passed" | "ended", amount: 1 | -1 = 1): void {
    this.#local.count(second, [name], this.#window_start, amount);
  }

  /** A call that took `elapsed_ms` failed or was answered. */
  ended(failed: boolean, elapsed_ms: number): void {
    this.#local.ended(failed, elapsed_ms, this.#ports.runtime.now(), this.#window_ms);
  }

  /** Before a decision: reads the shared state when the view of it is too old. Never throws. */
  async refresh(log: Log): Promise<void> {
    const troubled = this.#isTroubled();
    const age_max = troubled ? VIEW_AGE_MS_TROUBLED : Math.min(VIEW_AGE_MS_MAX, this.#window_ms);
    if (this.#age(this.#read_at) < age_max) return;
    const sharing = troubled && this.#hasCounts() && this.#age(this.#shared_at) >= VIEW_AGE_MS_TROUBLED;
    await this.#sync(sharing, log);
  }

  /** After a call: shares the counts once a window, once a second in trouble, or now. Never throws. */
  async share(log: Log, now = false): Promise<void> {
    if (!this.#hasCounts()) return;
    const age_min = this.#isTroubled() ? VIEW_AGE_MS_TROUBLED : this.#window_ms;
    if (now || this.#age(this.#shared_at) >= age_min) await this.#sync(true, log);
  }

  /** Writes a transition. False when another one came first. Throws when the table does not answer. */
  async move(next: CircuitRecord): Promise<boolean> {
    const { runtime } = this.#ports;
    const moved = await writeTransition(next, runtime.now(), this.#ports);
    if (moved) this.#local.endStreak();
    const counts = this.#state?.counts ?? new Map();
    this.#state = moved ? { record: next, counts } : await readCircuit(this.key, this.#ports);
    this.#read_at = runtime.now();
    return moved;
  }

  /** Unix ms. Calls before it belong to an earlier state of the circuit. */
  get #counted_from(): number {
    return this.record?.counted_from ?? 0;
  }

  get #window_ms(): number {
    return this.policy.window_seconds * 1000;
  }

  get #window_start(): number {
    return windowStart(this.#ports.runtime.now(), this.#counted_from, this.policy);
  }

  #hasCounts(): boolean {
    const closed = (this.record?.state ?? "closed") === "closed";
    const force = forceInForce(this.record, this.#ports.runtime.now());
    return closed && force?.state !== "open" && this.#local.unshared.size > 0;
  }

  #isTroubled(): boolean {
    const own = totalsOf([this.#local.own], this.#window_start);
    return isTroubled(this.record, this.#ports.runtime.now(), [own, this.totals]);
  }

  /** Infinite when it never happened, and when the clock was set back since. */
  #age(since: number | undefined): number {
    const age_ms = this.#ports.runtime.now() - (since ?? Number.NEGATIVE_INFINITY);
    return age_ms < 0 ? Number.POSITIVE_INFINITY : age_ms;
  }

  /** One exchange with the table at a time, which all callers wait for; none soon after one that failed. */
  async #sync(sharing: boolean, log: Log): Promise<void> {
    if (this.#syncing) return this.#syncing;
    if (this.#unreadable && this.#age(this.#tried_at) < VIEW_AGE_MS_TROUBLED) return;
    this.#syncing = this.#exchange(sharing, log).finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #exchange(sharing: boolean, log: Log): Promise<void> {
    const { runtime } = this.#ports;
    const asked_at = runtime.now();
    this.#tried_at = asked_at;
    const healthy = !this.#isTroubled();
    try {
      const state = await answerInTime(
        () => (sharing ? this.#addCounts(asked_at) : readCircuit(this.key, this.#ports)),
        ANSWER_MS_MAX,
        runtime,
      );
      // This environment may have made a transition in the meantime.
      if ((state?.record.generation ?? 0) >= (this.record?.generation ?? 0)) this.#state = state;
      this.#read_at = asked_at;
      if (sharing) this.#meter.read(this.#state?.counts, asked_at, healthy);
      if (this.#unreadable)
        log.info("CIRCUIT_STATE_READABLE", `the state of circuit ${this.key} can be read again`);
      this.#unreadable = false;
    } catch (error) {
      const fields = { circuit: this.key, when_unknown: this.policy.when_unknown };
      const sentence = `the state of circuit ${this.key} cannot be read: ${String(error)}`;
      if (!this.#unreadable) log.warn("CIRCUIT_STATE_UNREADABLE", sentence, fields);
      this.#unreadable = true;
    }
  }

  #addCounts(now: number): Promise<SharedState> {
    this.#shared_at = now;
    const since = this.#window_start;
    const unshared = this.#local.take(now, since, this.#window_ms, this.#isTroubled());
    const outdated = outdatedColumns(this.#state?.counts, since);
    return addCounts(this, { ...unshared, usual: this.#meter.take(), outdated }, now, this.#ports);
  }
}
