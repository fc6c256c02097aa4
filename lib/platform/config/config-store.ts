import type { z } from "zod";
import type { ConfigDefinition, Deployment } from "#lib/platform/config/config-definitions.ts";
import type { ConfigEvent } from "#lib/platform/config/config-file.ts";
import { ConfigFile, type ConfigFilePorts, type Loaded } from "#lib/platform/config/config-file.ts";
import type { ConfigSource } from "#lib/platform/config/config-source.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { countedMetric } from "#lib/platform/metrics/catalogue.ts";
import { type Counters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Policies } from "#schemas/http/policies.ts";

export interface ConfigStorePorts {
  source: ConfigSource;
  bundled: ConfigFilePorts["bundled"];
  deployment(): Deployment;
  runtime: Pick<Runtime, "now" | "sleep">;
  log: Log;
}

/** Returned by `follow`: stops following, and gives the changes seen. */
export interface Following {
  stop(counters: Counters): void;
  /** The changes since the last call, oldest first. */
  takeChanges(): ConfigEvent[];
}

export interface ConfigStore {
  read<Schema extends z.ZodType>(definition: ConfigDefinition<Schema>): Loaded<z.output<Schema>>;
  /**
   * Call it when an invocation begins. Waits, for a bounded time, for a new read when the last one is too old, then
   * polls until stopped. Never throws.
   */
  follow(log?: Log): Promise<Following>;
  view(): Omit<Policies, "service">;
}

/** Most changes kept until `takeChanges` is called; later ones are only logged. */
const CHANGES_MAX = 100;

/** All configuration files of a process, kept up to date from one source. */
export function configStore(definitions: readonly ConfigDefinition[], ports: ConfigStorePorts): ConfigStore {
  const { source, runtime } = ports;
  const noticed = new Map<string, number>();
  const changes: ConfigEvent[] = [];
  let log = ports.log;
  const tell = (change: ConfigEvent): void => {
    const { level, event, sentence, fields } = change;
    if (changes.length < CHANGES_MAX) changes.push(change);
    log[level](event, sentence, fields);
    const metric = event.toLowerCase();
    noticed.set(metric, (noticed.get(metric) ?? 0) + 1);
  };
  const file_ports = { ...ports, now: runtime.now, settle_ms: source.settle_ms, tell };
  const files = new Map(definitions.map((each) => [each.name, new ConfigFile(each, file_ports)]));

  /** The newest read of the source. Late results of an older read are ignored. */
  let look: { number: number; began_at: number; ended: Promise<void> } | undefined;
  let checked_at: number | undefined;

  const lookAt = async (file: ConfigFile, number: number): Promise<void> => {
    const answer = await inTime(source.read(file.name), source.timeout_ms, runtime);
    if (number !== look?.number) return;
    if (answer instanceof Uint8Array) file.offer(answer, source.place + file.name);
    else file.fail(answer);
  };
  const refresh = (): Promise<void> => {
    const now = runtime.now();
    const under_way = look && checked_at !== look.began_at;
    if (look && under_way && !isOlder(look.began_at, source.timeout_ms)) return look.ended;
    const mine = { number: (look?.number ?? 0) + 1, began_at: now, ended: Promise.resolve() };
    look = mine;
    mine.ended = Promise.all([...files.values()].map((file) => lookAt(file, mine.number))).then(() => {
      if (look === mine) checked_at = mine.began_at;
    });
    return mine.ended;
  };
  const isOlder = (since: number | undefined, limit_ms: number): boolean => {
    const age_ms = runtime.now() - (since ?? Number.NEGATIVE_INFINITY);
    return age_ms >= limit_ms || age_ms < 0; // a clock that was set back
  };
  const keepLooking = async (stopped: AbortSignal): Promise<void> => {
    while (!stopped.aborted) {
      await runtime.sleep(source.refresh_ms, stopped);
      if (isOlder(look?.began_at, source.refresh_ms)) await refresh();
    }
  };

  return {
    read: <Schema extends z.ZodType>({ name }: ConfigDefinition<Schema>) => {
      const file = files.get(name);
      if (!file) throw new Error(`no configuration file ${name} is declared`);
      return file.current() as Loaded<z.output<Schema>>;
    },
    async follow(its_log = log) {
      log = its_log;
      const stopped = new AbortController();
      if (isOlder(checked_at, source.wait_ms)) await refresh();
      else if (isOlder(look?.began_at, source.refresh_ms)) void refresh();
      keepLooking(stopped.signal).catch(() => undefined); // only the sleep can throw here, when stopped
      return {
        stop(counters) {
          stopped.abort();
          for (const [metric, amount] of noticed)
            counters.count(countedMetric(metric), PLATFORM_TENANT, amount);
          noticed.clear();
        },
        takeChanges: () => changes.splice(0),
      };
    },
    view: () => ({
      source: source.place,
      checked_at: checked_at === undefined ? null : instant(checked_at),
      policies: [...files.values()].map((file) => file.view()),
    }),
  };
}

/** The value or the error of the promise; an Error when it takes too long. */
async function inTime(
  answer: Promise<Uint8Array>,
  timeout_ms: number,
  runtime: Pick<Runtime, "sleep">,
): Promise<unknown> {
  const done = new AbortController();
  const late = runtime.sleep(timeout_ms, done.signal).then(
    () => new Error(`no answer within ${timeout_ms} ms`),
    () => undefined, // the answer came first
  );
  const settled = await Promise.race([answer.catch((error: unknown) => error), late]);
  done.abort();
  return settled;
}
