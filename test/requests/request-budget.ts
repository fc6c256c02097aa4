import type { Totals } from "./request-table.ts";

/**
 * What one task may cost, in AWS requests as its functions send them and in DynamoDB's units: client polls, the sweeper,
 * lease renewals and the receives and deletes of the queues apart. Lower a number with the change that saves requests; raise one only
 * with a reason in the commit. What is written by the clock is a column of its own: at
 * most one write in some seconds for each environment and tenant, and on the idle stack of the test nearly one a task.
 */
export const BUDGET: Record<string, Totals> = {
  run: row([5, 2, 33], [3, 1, 4], [6, 1], 3), // files of the layout, and the source
  buildtest: row([5, 2, 39], [3, 1, 4], [7, 1], 3),
  index: row([6, 2, 37], [3, 3, 6], [6, 1], 3), // the pointer of the graph is a write and two reads
  change: row([17, 4, 135], [7, 5, 28], [17, 7], 9), // four steps, the pointer twice, and a nudge that may find nothing to do
};

function row(
  [writes, clock_writes, write_units]: [number, number, number],
  [queries, gets, read_units]: [number, number, number],
  [s3_puts, s3_gets]: [number, number],
  sends: number,
): Totals {
  return { writes, clock_writes, write_units, queries, gets, read_units, s3_puts, s3_gets, sends };
}
