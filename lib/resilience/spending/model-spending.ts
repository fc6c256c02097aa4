import { QuotaFault, RejectedInput } from "#lib/platform/errors/fault.ts";
import { MODEL_SPENDING } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { type TablePorts, updateIf, updateItem } from "#lib/platform/table/operations.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";
import type { CodegenPolicy } from "#schemas/config/codegen.ts";

/** Tokens, and money in millionths of a USD, so that sums are exact. */
export interface Spending {
  tokens: number;
  usd_micros: number;
}

export const NOTHING_SPENT: Spending = { tokens: 0, usd_micros: 0 };

/** The dependency that a spent budget is told for. */
const dependency = "model";

interface Limited {
  policy: CodegenPolicy;
}

export function plus(a: Spending, b: Spending): Spending {
  return { tokens: a.tokens + b.tokens, usd_micros: a.usd_micros + b.usd_micros };
}

const inDollars = (usd_micros: number) => `${(usd_micros / 1e6).toFixed(2)} USD`;

/**
 * Refuses a question that could pass the task's budget, before it is asked.
 *
 * @throws RejectedInput `MODEL_BUDGET_SPENT`, naming the setting
 */
export function checkTaskBudget(spent: Spending, most: Spending, { policy }: Limited): void {
  const after = plus(spent, most);
  const { task_tokens_max, task_usd_max } = policy;
  if (after.tokens > task_tokens_max) {
    throw new RejectedInput(
      "MODEL_BUDGET_SPENT",
      `The next question could take ${most.tokens} tokens, and ${spent.tokens} of the task's ${task_tokens_max} (task_tokens_max) are spent. It is not asked.`,
    );
  }
  if (task_usd_max !== null && after.usd_micros > task_usd_max * 1e6) {
    throw new RejectedInput(
      "MODEL_BUDGET_SPENT",
      `The next question could cost ${inDollars(most.usd_micros)}, and ${inDollars(spent.usd_micros)} of the task's ${task_usd_max} USD (task_usd_max) are spent. It is not asked.`,
    );
  }
}

/**
 * Refuses another run of a coding agent once what its task has spent reaches the budget. What a run will use is not known
 * before it, so the last run may pass the budget.
 *
 * @throws RejectedInput `MODEL_BUDGET_SPENT`, naming the setting
 */
export function checkBudgetLeft(spent: Spending, { policy }: Limited): void {
  const { task_tokens_max, task_usd_max } = policy;
  if (spent.tokens >= task_tokens_max) {
    throw new RejectedInput(
      "MODEL_BUDGET_SPENT",
      `The rounds before used ${spent.tokens} tokens, as the coding agent states, of the task's ${task_tokens_max} (task_tokens_max). It is not run again.`,
    );
  }
  if (task_usd_max !== null && spent.usd_micros > 0 && spent.usd_micros >= task_usd_max * 1e6) {
    throw new RejectedInput(
      "MODEL_BUDGET_SPENT",
      `The rounds before cost ${inDollars(spent.usd_micros)}, as the coding agent states, of the task's ${task_usd_max} USD (task_usd_max). It is not run again.`,
    );
  }
}

/** What is set aside for work whose cost is not known before it: the least, so that a spent budget refuses it. */
export const LEAST: Spending = { tokens: 1, usd_micros: 1 };

export interface DayBudgetPorts extends TablePorts {
  now(): number;
}

/**
 * Sets aside what a question can cost at most, in one conditional write. `settle` replaces it by what it did cost. What
 * a process that died had set aside stays set aside for that day.
 *
 * @throws QuotaFault `MODEL_DAY_BUDGET_SPENT` until the next day (UTC), naming the setting
 */
export async function reserve(
  tenant: string,
  most: Spending,
  { policy }: Limited,
  ports: DayBudgetPorts,
): Promise<{ settle(spent: Spending): Promise<void> }> {
  const { tenant_day_tokens_max: tokens_max, tenant_day_usd_max: usd_max } = policy;
  if (tokens_max === null && usd_max === null) return { settle: async () => undefined };
  const now = ports.now();
  const day = new Date(now).toISOString().slice(0, 10);
  const key = keyOf(MODEL_SPENDING, { tenant, day });
  const expires_at = expiryOf(MODEL_SPENDING, now);
  const rooms = [
    { name: "tokens", room: tokens_max === null ? undefined : tokens_max - most.tokens },
    { name: "usd_micros", room: usd_max === null ? undefined : Math.round(usd_max * 1e6) - most.usd_micros },
  ].filter(({ room }) => room !== undefined);
  // Without this an item that is not there yet would take any amount.
  const fits = rooms.every(({ room = 0 }) => room >= 0);
  const condition = rooms
    .map(({ name }) => `(attribute_not_exists(${name}) OR ${name} <= :${name}_room)`)
    .join(" AND ");
  const values = Object.fromEntries(rooms.map(({ name, room }) => [`${name}_room`, room]));
  const update = "ADD tokens :tokens, usd_micros :usd_micros SET expires_at = :expires_at";
  const reserved =
    fits && (await updateIf(key, { update, condition, values: { ...values, ...most, expires_at } }, ports));
  if (!reserved) throw dayBudgetSpent(now, policy);
  return {
    async settle({ tokens, usd_micros }) {
      const difference = { tokens: tokens - most.tokens, usd_micros: usd_micros - most.usd_micros };
      await updateItem(key, { update, values: { ...difference, expires_at } }, ports);
    },
  };
}

const DAY_MS = 86_400_000;

function dayBudgetSpent(now: number, policy: CodegenPolicy): QuotaFault {
  const retry_at_ms = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
  const { tenant_day_tokens_max, tenant_day_usd_max } = policy;
  const limits = [
    tenant_day_tokens_max !== null && `${tenant_day_tokens_max} tokens (tenant_day_tokens_max)`,
    tenant_day_usd_max !== null && `${tenant_day_usd_max} USD (tenant_day_usd_max)`,
  ].filter(Boolean);
  return new QuotaFault(
    "MODEL_DAY_BUDGET_SPENT",
    `The next question could pass what the tenant may spend on models a day: ${limits.join(", ")}. It is asked on the next day (UTC).`,
    { retry_at_ms, dependency },
  );
}
