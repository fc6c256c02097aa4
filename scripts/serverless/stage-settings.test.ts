import { expect, it } from "vitest";
import { limitConcurrency } from "./stage-settings.ts";

function limited(
  stage: string,
  maximumConcurrency: number,
  stages: Record<string, { concurrency_max?: number }>,
) {
  const event = { sqs: { arn: "queue", maximumConcurrency } };
  limitConcurrency({
    service: "agents",
    provider: { stage },
    custom: { stages },
    functions: { review: { events: [{ httpApi: "GET /" }, event] } },
  });
  return event.sqs.maximumConcurrency;
}

it("holds an event source to its stage, or to the default where its stage says nothing", () => {
  const stages = { default: { concurrency_max: 5 }, prod: { concurrency_max: 100 }, quiet: {} };
  expect(["prod", "quiet", "other"].map((stage) => limited(stage, 10, stages))).toEqual([10, 5, 5]);
  expect(limited("prod", 10, {})).toBe(10);
});

it("refuses fewer than Lambda takes", () => {
  expect(() => limited("prod", 10, { prod: { concurrency_max: 1 } })).toThrow("must be 2 or more");
});
