import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WriteInput } from "./dynamodb/table.ts";
import type { KnownMutation } from "./mutations.ts";
import { simulateSeed } from "./simulate-seed.ts";
import { replayWorkload } from "./workload/operator.ts";

const SEEDS = 200;
/** Seeds until a mutation must have been noticed. */
const SEEDS_MAX = 400;

/** What the seeds must have met; a simulation that meets none of it proves nothing. */
const EXERCISED = [
  "crashes",
  "dead letters",
  "dead letters removed",
  "duplicate deliveries",
  "jobs aborted",
  "jobs completed",
  "log REPLAYS_SWEPT",
  "operations answer_lost",
  "operations late_copy",
  "restarts",
  "results removed",
  "results succeeded",
  "steps armed again",
  "tasks reopened",
];

const ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)";
const without = (part: string) => (input: WriteInput) => {
  const { ConditionExpression } = input;
  if (!ConditionExpression?.includes(part)) return input;
  return { ...input, ConditionExpression: ConditionExpression.replace(part, `(${part} OR ${ALWAYS})`) };
};

const mutations: KnownMutation[] = [
  {
    name: "a step is armed again whatever another replay did",
    write: without("fence = :fence AND #status = :status"),
    breaks: [
      "a failure is replayed once",
      "only an ended step is armed again",
      "only a sealed task is replayed",
    ],
  },
  {
    name: "a failure that was replayed is not settled",
    write: (input) => (input.UpdateExpression?.includes("settled_at") ? null : input),
    breaks: ["nothing that can be replayed is left"],
  },
  {
    name: "a job whose worker died is not sent again",
    job_sweeper: "off",
    breaks: ["every replay job ends"],
  },
  {
    name: "what became of a failure is not noted",
    write: (input, { sk }) => (sk.startsWith("RESULT#") && input.UpdateExpression ? null : input),
    breaks: ["every replay job ends", "a completed job has taken all it took down"],
  },
];

const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

describe("replay jobs in the simulated system", () => {
  it(`lose, double and repeat nothing in seeds 1 to ${SEEDS}, and a second time change nothing`, async () => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await simulateSeed(seed, { workload: replayWorkload });
      expect(result.violations, `seed ${seed}`).toEqual([]);
      for (const [name, amount] of result.counts) counts.set(name, (counts.get(name) ?? 0) + amount);
    }
    expect(EXERCISED.filter((name) => !counts.get(name))).toEqual([]);
  }, 900_000);

  it("do the same again for the same seed", async () => {
    for (const seed of [5, 77]) {
      const first = await simulateSeed(seed, { workload: replayWorkload });
      expect((await simulateSeed(seed, { workload: replayWorkload })).trace_hash).toBe(first.trace_hash);
    }
  });

  it.each(mutations)(
    "are noticed when $name",
    async ({ breaks, ...mutation }) => {
      for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
        const [violation] = (await simulateSeed(seed, { workload: replayWorkload, mutation })).violations;
        if (!violation) continue;
        expect(breaks, `seed ${seed}: ${violation.detail}`).toContain(violation.invariant);
        return;
      }
      expect.fail(`no invariant was broken in ${SEEDS_MAX} seeds`);
    },
    900_000,
  );
});
