/** What happens to the dependency between `outage_from_ms` and `outage_until_ms`; before and after it is well. */
export interface Trouble {
  name: string;
  description: string;
  /** Share of calls answered with an error, at once. */
  failing: number;
  /** Calls take this many times as long. */
  slower: number;
  /** The tasks, by their number from 0, that fail whenever they are tried, in trouble or not. */
  poisonous?: readonly number[];
  /** Calls served at a time, well and in trouble; further calls wait in line. Undefined: no limit. */
  slots?: { well: number; troubled: number };
}

interface Tenant {
  name: string;
  /** Of all tasks, this share is the tenant's. */
  share: number;
}

/** One experiment. Times are virtual ms from the start. */
export interface Plan {
  seed: number;
  environments: number;
  trouble: Trouble;
  tenants: Tenant[];
  /** Tasks that arrive a second, all the time, at random (Poisson). */
  tasks_per_second: number;
  /** Median of the time a call takes; log-normal. */
  call_ms: number;
  /** An error comes back this fast. */
  error_ms: number;
  /** A caller gives up after this time; the dependency does not notice and goes on. */
  call_timeout_ms: number;
  outage_from_ms: number;
  outage_until_ms: number;
  arrivals_until_ms: number;
  /** Whatever has no outcome by then counts as lost or unfinished. */
  end_ms: number;
}

export const TROUBLES: Trouble[] = [
  { name: "fails-60", description: "60 % of calls fail for 5 minutes", failing: 0.6, slower: 1 },
  { name: "fails-100", description: "every call fails for 5 minutes", failing: 1, slower: 1 },
  { name: "slow", description: "calls take 20 times as long for 5 minutes", failing: 0, slower: 20 },
  {
    name: "overload",
    description: "15 calls at a time, 4 for 5 minutes; calls given up are still worked on",
    failing: 0,
    slower: 1,
    slots: { well: 15, troubled: 4 },
  },
];

const MINUTE_MS = 60_000;

export const taskId = (index: number) => `task-${index}`;

/** Whether a task fails whenever it is tried. */
export function isPoisonous(task: string, { poisonous = [] }: Trouble): boolean {
  return poisonous.some((index) => task === taskId(index));
}

/** The experiment of README.md. `quick` leaves less time after the outage. */
export function makePlan(trouble: Trouble, seed: number, environments: number, quick: boolean): Plan {
  const outage_from_ms = 5 * MINUTE_MS;
  const outage_until_ms = outage_from_ms + 5 * MINUTE_MS;
  const arrivals_until_ms = outage_until_ms + (quick ? 6 : 12) * MINUTE_MS;
  return {
    seed,
    environments,
    trouble,
    tenants: [
      { name: "large", share: 0.8 },
      { name: "medium", share: 0.17 },
      { name: "small", share: 0.03 },
    ],
    tasks_per_second: 4,
    call_ms: 3000,
    error_ms: 200,
    call_timeout_ms: 9000,
    outage_from_ms,
    outage_until_ms,
    arrivals_until_ms,
    end_ms: arrivals_until_ms + 60 * MINUTE_MS,
  };
}
