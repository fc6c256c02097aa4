import { type Figures, figuresOf } from "../../../bench/outage/figures.ts";
import { runVariant, type Variant } from "../../../bench/outage/lab.ts";
import { makePlan, TROUBLES, type Trouble } from "../../../bench/outage/plan.ts";

const ENVIRONMENTS = 50;
/** After this time as many tasks end as arrive again. */
const RECOVERY_SECONDS_MAX = 75;
/** A probe that began while the dependency was slow is given up after 36 s; then it stays open for up to 30 s. */
const RECOVERY_SECONDS_MAX_SLOW = 120;
/** A backlog of 300 s beside what arrives, at no more than twice the usual rate. */
const BACKLOG_SECONDS_MAX = 840;

/** The bench's outage with a quarter of its traffic, of calls four times as long: as many environments are busy. */
export async function smallOutage(
  variant: Variant,
  trouble: string,
  seed: number,
  changes: Partial<Trouble> = {},
): Promise<Figures> {
  const found = TROUBLES.find(({ name }) => name === trouble);
  if (!found) throw new Error(`there is no trouble ${trouble}`);
  const plan = makePlan({ ...found, ...changes }, seed, ENVIRONMENTS, true);
  const slower = {
    ...plan,
    tasks_per_second: 1,
    call_ms: 12_000,
    call_timeout_ms: 36_000,
    arrivals_until_ms: plan.outage_until_ms + 180_000,
  };
  return figuresOf(await runVariant(variant, slower));
}

/** The promises that figures break. */
export function brokenPromises(figures: Figures, trouble: string): string[] {
  const { tasks, done, dead_lettered, lost, violations, amplification, amplification_outage } = figures;
  const { probes_at_once_max, recovery_seconds, drained_seconds, herd, healthy_writes_per_window } = figures;
  const within = (value: number | null, most: number) => value !== null && value <= most;
  const recovery_max = trouble === "slow" ? RECOVERY_SECONDS_MAX_SLOW : RECOVERY_SECONDS_MAX;
  const promises: [string, boolean][] = [
    ["every task is done", done === tasks],
    ["none is lost", lost === 0],
    ["none is dead-lettered for the outage", dead_lettered === 0],
    ["invariants hold", violations?.length === 0],
    ["fewer than two calls for a success possible", amplification < 2 && amplification_outage < 2],
    ["one probe at a time", probes_at_once_max === 1],
    ["95 % of the throughput is back in time", within(recovery_seconds, recovery_max)],
    ["the backlog is done in time", within(drained_seconds, BACKLOG_SECONDS_MAX)],
    ["no herd", herd.calls_20s <= 2],
    ["a healthy fleet writes once a window", within(healthy_writes_per_window, 1)],
  ];
  return promises.filter(([, kept]) => !kept).map(([promise]) => promise);
}
