import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { TASK } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";

const LIST = listOf(TASK, "by_tenant", { tenant: "acme" });

interface Query {
  Limit: number;
  ExclusiveStartKey?: { gsi1sk: string };
}

/** A partition with this many items, the newest with the highest number, queried as DynamoDB would. */
function fakeTable(items: number) {
  const queries: Query[] = [];
  const send = async ({ input }: { input: Query }) => {
    queries.push(input);
    const from = input.ExclusiveStartKey ? Number(input.ExclusiveStartKey.gsi1sk) - 1 : items;
    const Items = Array.from({ length: Math.min(input.Limit, from) }, (_, n) => ({
      pk: "pk",
      sk: "sk",
      gsi1sk: String(from - n).padStart(8, "0"),
    }));
    const last = Items.at(-1);
    return { Items, LastEvaluatedKey: from > input.Limit ? last : undefined };
  };
  const ports = { table: { send } as unknown as DynamoDBDocumentClient, table_name: "table" };
  return { ports, queries };
}

const every = (divisor: number) => (item: Record<string, unknown>) => {
  const number = Number(item.gsi1sk);
  return number % divisor === 0 ? number : undefined;
};

describe("a page", () => {
  it("is filled from as many queries as that takes", async () => {
    const { ports, queries } = fakeTable(1000);
    const request = { limit: 3, read: every(300), filters: { kind: "run" } };
    const first = await queryPage(LIST, request, ports);
    expect([first.rows, first.next_cursor]).toEqual([[900, 600, 300], null]);
    expect(queries.length).toBe(4);
  });

  it("asks for no more than it shows, and one, when nothing is passed over", async () => {
    const { ports, queries } = fakeTable(1000);
    const page = await queryPage(LIST, { limit: 20, read: every(1), filters: {} }, ports);
    expect([page.rows.length, queries.length, queries[0]?.Limit]).toEqual([20, 1, 21]);
    expect(page.next_cursor).not.toBeNull();
  });

  it("ends after 10,000 items without what was wanted, and the next one goes on from there", async () => {
    const { ports, queries } = fakeTable(15_000);
    const request = { limit: 5, read: every(14_000), filters: { kind: "rare" } };
    const short = await queryPage(LIST, request, ports);
    expect([short.rows, queries.length]).toEqual([[14_000], 40]);
    const rest = await queryPage(LIST, { ...request, cursor: short.next_cursor ?? "" }, ports);
    expect(rest).toEqual({ rows: [], next_cursor: null });
    expect(queries.length).toBe(60);
  });

  it("goes on behind what it looked at when no row after its last was found in time", async () => {
    const { ports } = fakeTable(15_000);
    const request = { limit: 1, read: every(7_000), filters: { kind: "rare" } };
    const first = await queryPage(LIST, request, ports);
    expect(first.rows).toEqual([14_000]);
    const second = await queryPage(LIST, { ...request, cursor: first.next_cursor ?? "" }, ports);
    expect(second.rows).toEqual([7_000]);
    const third = await queryPage(LIST, { ...request, cursor: second.next_cursor ?? "" }, ports);
    expect(third).toEqual({ rows: [], next_cursor: null });
  });

  it("is empty, and asks nothing, when the time range ends before it begins", async () => {
    const { ports, queries } = fakeTable(10);
    const backwards = { since: "3105-01-01T00:00:00Z", until: "2026-01-01T00:00:00Z" };
    const page = await queryPage(LIST, { limit: 5, read: every(1), filters: {}, ...backwards }, ports);
    expect([page, queries.length]).toEqual([{ rows: [], next_cursor: null }, 0]);
  });
});
