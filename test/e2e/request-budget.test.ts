import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MeasuredStack, measuredStack } from "../requests/measured-stack.ts";
import { BUDGET, type Budget } from "../requests/request-budget.ts";
import { describeRows, type Totals, totalsOf } from "../requests/request-table.ts";
import { SUBMISSIONS } from "../requests/submissions.ts";

let stack: MeasuredStack;
beforeAll(async () => {
  stack = await measuredStack();
});
afterAll(() => stack?.stop());

const TASKS = 2;

/** What is above the budget, as a sentence each. */
function excess(totals: Totals, budget: Budget): string[] {
  return (Object.keys(budget) as (keyof Budget)[])
    .filter((name) => totals[name] > budget[name])
    .map((name) => `${name}: ${totals[name]}, and the budget is ${budget[name]}`);
}

describe("the AWS requests of one task", () => {
  it.each(Object.keys(BUDGET))("of workflow %s stay within the budget", async (workflow) => {
    const submission = SUBMISSIONS[workflow]!;
    await stack.measure((run) => submission(-1 - run), 1); // its functions are warm after this
    const rows = await stack.measure(submission, TASKS);
    const totals = totalsOf(rows);
    console.log([`workflow ${workflow}`, ...describeRows(rows), JSON.stringify(totals)].join("\n"));
    expect(excess(totals, BUDGET[workflow]!)).toEqual([]);
  });

  it("include every request of the path, so that the budget cannot be met by counting less", async () => {
    const rows = await stack.measure(SUBMISSIONS.run!, 1);
    const purposes = rows.map(({ purpose }) => purpose);
    expect(purposes).toEqual(
      expect.arrayContaining([
        "accept the task",
        "dispatch a step",
        "claim a step",
        "complete a step",
        "seal the task",
      ]),
    );
    expect(rows.filter(({ kind }) => kind === "write").every(({ units }) => units > 0)).toBe(true);
  });
});
