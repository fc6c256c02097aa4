import type { Totals } from "./request-table.ts";

export type Budget = Omit<Totals, "clock_writes">;

/**
 * What one task may cost, in AWS requests as its functions send them and in DynamoDB's units: client polls, the sweeper,
 * lease renewals and the receives and deletes of the queues apart. Lower a number with the change that saves requests; raise one only
 * with a reason in the commit. What is written by the clock has no budget here: how many there are follows from how long a task
 * takes. `lib/platform/metrics/count-buffer.test.ts` bounds them.
 */
export const BUDGET: Record<string, Budget> = {
  run: row([5, 27], [3, 1, 4], [6, 1], 3), // files of the layout, and the source
  buildtest: row([5, 35], [3, 1, 4], [7, 1], 3),
  index: row([6, 29], [3, 3, 6], [6, 1], 3), // the pointer of the graph is a write and two reads
  change: row([16, 100], [7, 5, 28], [17, 7], 9), // four steps, and the pointer twice
};

function row(
  [writes, write_units]: [number, number],
  [queries, gets, read_units]: [number, number, number],
  [s3_puts, s3_gets]: [number, number],
  sends: number,
): Budget {
  return { writes, write_units, queries, gets, read_units, s3_puts, s3_gets, sends };
}
