import type { Log } from "#lib/platform/log/log.ts";
import { addCounts, type CountLabels, type SlotRow } from "#lib/platform/metrics/count-store.ts";
import { type Counters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";

/** What writing needs. */
interface CountPorts extends TablePorts {
  runtime: Pick<Runtime, "now">;
  log: Log;
}

/** The counts of one execution environment that are not in the table yet. They are approximate: docs/reference/counts.md. */
export interface CountBuffer {
  /** Takes over the counts of an invocation that served so many messages or requests. */
  add(labels: Omit<CountLabels, "tenant">, counters: Counters, served: number): void;
  /** Writes what is due: nothing within `FLUSH_MS` of the last time. Never throws. */
  flush(ports: CountPorts): Promise<void>;
  /** Writes everything, and from now on with every `flush`. For an environment that is shut down. Never throws. */
  close(ports: CountPorts): Promise<void>;
  /** Rows that are not written yet; a tenant's, if one is given. */
  pending(tenant?: string): SlotRow[];
}

/** Counts are written at most once in this time. */
export const FLUSH_MS = 10_000;
/** Writes for each message that was served since the last flush; at least one write a flush. */
const WRITES_A_MESSAGE = 0.15;
/** Rows that wait to be written. The counts of a further tenant are added to those of `_other`. */
export const ROWS_MAX = 100;
export const OTHER_TENANTS = "_other";

/** Each environment writes into one of so many items of a service, tenant and minute, so that none of them is hot. */
const SLOTS = 4;

/** `runtime` chooses the slot. */
export function countBuffer(runtime: Pick<Runtime, "random">): CountBuffer {
  const slot = Math.floor(runtime.random() * SLOTS);
  /** In the order in which their first count came. */
  const rows = new Map<string, SlotRow>();
  let served = 0;
  let next_flush_ms = 0;
  let closed = false;

  const rowOf = (labels: Omit<CountLabels, "tenant">, tenant: string): SlotRow => {
    const key = [labels.service, labels.role, labels.shard, tenant].join("|");
    const waiting = rows.get(key);
    if (waiting) return waiting;
    const spare = tenant === PLATFORM_TENANT || tenant === OTHER_TENANTS;
    if (!spare && rows.size >= ROWS_MAX) return rowOf(labels, OTHER_TENANTS);
    const row = { ...labels, slot, tenant, amounts: new Map<string, number>() };
    rows.set(key, row);
    return row;
  };

  const write = async (rows_max: number, ports: CountPorts) => {
    const due = [...rows].slice(0, rows_max);
    for (const [key] of due) rows.delete(key);
    const now_ms = ports.runtime.now();
    const written = await Promise.allSettled(due.map(([, row]) => addCounts(row, now_ms, ports)));
    const lost = written.find((one) => one.status === "rejected");
    // Not tried again: the table may have added them before the answer was lost.
    if (lost) ports.log.warn("METRICS_LOST", `counts were not written: ${String(lost.reason)}`);
  };

  return {
    add(labels, counters, messages) {
      served += messages;
      for (const { metric, tenant, amount } of counters.entries()) {
        const { amounts } = rowOf(labels, tenant);
        amounts.set(metric, (amounts.get(metric) ?? 0) + amount);
      }
    },
    async flush(ports) {
      const now = ports.runtime.now();
      if (rows.size === 0 || (!closed && now < next_flush_ms)) return;
      const rows_max = closed ? rows.size : Math.max(1, Math.floor(WRITES_A_MESSAGE * served));
      next_flush_ms = now + FLUSH_MS;
      served = 0;
      await write(rows_max, ports);
    },
    async close(ports) {
      closed = true;
      await write(rows.size, ports);
    },
    pending: (tenant) => [...rows.values()].filter((row) => tenant === undefined || row.tenant === tenant),
  };
}
