import type { Totals } from "#test/requests/request-table.ts";

/**
 * Assumed list prices in us-east-1 in US dollars per million; DynamoDB's are those since its reduction of November 2024.
 * They were not read from AWS's pages, which are named here: compare before money is decided by them. Free tiers are not
 * taken off.
 */
export const PRICES = {
  /** On-demand write and read request units, standard class: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  write_unit: 0.625,
  read_unit: 0.125,
  /** S3 Standard, PUT and COPY, and GET: https://aws.amazon.com/s3/pricing/ */
  s3_put: 5,
  s3_get: 0.4,
  /** Standard queues: https://aws.amazon.com/sqs/pricing/ */
  sqs_request: 0.4,
};

/** A message is sent, received and deleted; a batch shares the last two, which is not taken off here. */
const REQUESTS_A_MESSAGE = 3;

/** Dollars for a million of them, by service. */
export function moneyOf({
  write_units,
  read_units,
  s3_puts,
  s3_gets,
  sends,
}: Omit<Totals, "writes" | "clock_writes" | "queries" | "gets">) {
  const dynamodb = write_units * PRICES.write_unit + read_units * PRICES.read_unit;
  const s3 = s3_puts * PRICES.s3_put + s3_gets * PRICES.s3_get;
  const sqs = sends * REQUESTS_A_MESSAGE * PRICES.sqs_request;
  return { dynamodb, s3, sqs, total: dynamodb + s3 + sqs };
}
