import { type Command, InvalidArgumentError } from "commander";
import type { CaseFilter } from "#lib/agents/dlq/dead-letter-case.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { whole } from "../../cli/parse-option.ts";
import { DLQ_EXIT, DlqError } from "./dlq-error.ts";

/** What every subcommand understands. */
export interface DlqOptions {
  dataDir?: string;
  json?: boolean;
  service?: string;
  tenant?: string;
  code?: string;
  fingerprint?: string;
  since?: number;
  task?: string;
  limit: number;
  all?: boolean;
  native?: boolean;
  force?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

const LIMIT = 1000;
const LIMIT_MAX = 100_000;
const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `2h` or `3d` ago, or an RFC 3339 instant, as Unix ms. */
export function parseSince(text: string, now_ms: number): number {
  const [, amount, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount) return now_ms - Number(amount) * (UNITS[unit] ?? 0);
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new InvalidArgumentError("Give a time such as 15m, 2h, 3d or 2026-01-31T12:00:00Z.");
  return at;
}

/** Adds the options that say which messages are meant and where they are. */
export function withFilters(command: Command): Command {
  return command
    .option("--data-dir <directory>", "data directory of a local stack (default: this repository's .local)")
    .option("--json", "print one JSON document on standard output")
    .option("--service <name>", "only the DLQ of this service")
    .option("--tenant <tenant>", "only this tenant")
    .option("--code <code>", "only failures with this code, for example BLOB_MISSING")
    .option("--fingerprint <hex>", "only failures of this kind; its beginning is enough")
    .option("--since <time>", "only those that failed since: 15m, 2h, 3d or an instant", (text: string) =>
      parseSince(text, Date.now()),
    )
    .option("--task <task_id>", "only messages of this task")
    .option("--limit <count>", "messages looked at in each DLQ", whole(1, LIMIT_MAX), LIMIT);
}

/** The DLQs that are meant. @throws DlqError for a service without one */
export function servicesOf({ service }: DlqOptions): string[] {
  const services = queueServices();
  if (service === undefined) return services;
  if (services.includes(service)) return [service];
  throw new DlqError(
    DLQ_EXIT.usage,
    `No service ${service} has a queue here; there are ${services.join(", ")}.`,
  );
}

export function filterOf(ids: string[], options: DlqOptions): CaseFilter {
  const { tenant, code, fingerprint, task, since } = options;
  return {
    ...(ids.length > 0 && { ids }),
    ...(tenant && { tenant }),
    ...(code && { code }),
    ...(fingerprint && { fingerprint }),
    ...(task && { task_id: task }),
    ...(since !== undefined && { since_ms: since }),
  };
}

/** Nothing is changed by mistake: which messages are meant has to be said. @throws DlqError */
export function demandChoice(ids: string[], options: DlqOptions): void {
  if (options.all || options.service || Object.keys(filterOf(ids, options)).length > 0) return;
  throw new DlqError(DLQ_EXIT.usage, "Say which messages: ids or filters, or --all for every one.");
}
