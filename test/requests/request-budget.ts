import type { Totals } from "./request-table.ts";

/**
 * What one task may cost, in AWS requests as its functions send them and in DynamoDB's units: client polls, the sweeper,
 * lease renewals and the receives and deletes of the queues apart. Lower a number with the change that saves requests; raise one only
 * with a reason in the commit. Counts are written at most once in some seconds, so a share of a write is a task's.
 */
export const BUDGET: Record<string, Totals> = {
  run: { writes: 15, write_units: 47, queries: 5, gets: 1, read_units: 6, s3_puts: 13, s3_gets: 1, sends: 3 },
  buildtest: {
    writes: 15,
    write_units: 51,
    queries: 5,
    gets: 1,
    read_units: 6,
    s3_puts: 18,
    s3_gets: 1,
    sends: 3,
  },
  index: {
    writes: 16,
    write_units: 48,
    queries: 5,
    gets: 3,
    read_units: 7,
    s3_puts: 10,
    s3_gets: 1,
    sends: 3,
  },
  change: {
    writes: 39,
    write_units: 124,
    queries: 8,
    gets: 5,
    read_units: 20,
    s3_puts: 42,
    s3_gets: 10,
    sends: 9,
  },
};
