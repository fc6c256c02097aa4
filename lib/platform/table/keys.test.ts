import { describe, expect, it } from "vitest";
import type { ItemKind } from "#lib/platform/table/item-kind.ts";
import * as catalogue from "#lib/platform/table/items.ts";
import { COUNTS, DELIVERY, STEP, TASK, WEBHOOK } from "#lib/platform/table/items.ts";
import {
  isOfKind,
  keyOf,
  listingAttributes,
  listingOf,
  listOf,
  OPEN_SHARDS,
  openShard,
  partitionOf,
  recordFields,
  sortFields,
} from "#lib/platform/table/keys.ts";

const step = { tenant: "acme", task_id: "task_1", step: "codegen", round: 2 };

describe("a key", () => {
  it("is what the catalogue says, filled with the record's fields", () => {
    expect(keyOf(STEP, step)).toEqual({ pk: "TASK#acme#task_1", sk: "STEP#codegen#2" });
    expect(keyOf(TASK, step)).toEqual({ pk: "TASK#acme#task_1", sk: "TASK" });
    expect(partitionOf(WEBHOOK, { tenant: "acme" })).toEqual({ value: "WEBHOOKS#acme" });
  });

  it("takes values as they are, those that look like a field or a replacement too", () => {
    const odd = { tenant: "$&", webhook_id: "<tenant>" };
    expect(keyOf(WEBHOOK, odd)).toEqual({ pk: "WEBHOOKS#$&", sk: "<tenant>" });
  });

  it("is refused without one of its fields", () => {
    expect(() => keyOf(STEP, { ...step, step: undefined } as never)).toThrow("needs the field step");
    expect(() => listOf(WEBHOOK as ItemKind, "by_tenant", { tenant: "acme" } as never)).toThrow("lists no");
  });

  it("says which kind an item of a shared partition is of", () => {
    const kinds = [TASK, STEP, DELIVERY];
    const found = ["TASK", "STEP#codegen#2", "DELIVERY#x"].map((sk) =>
      kinds.map((kind) => isOfKind(kind, { sk })),
    );
    expect(found).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  it("gives back the fields of its sort key", () => {
    const labels = {
      tenant: "acme",
      minute: "2026-01-31T12:07",
      service: "codegen",
      role: "worker",
      shard: "0",
      slot: "3",
    };
    expect(sortFields(COUNTS, keyOf(COUNTS, { block: "2026-01-31T12:05", ...labels }) as never)).toEqual(
      labels,
    );
  });
});

describe("a listing", () => {
  const listed = { ...step, completed_at: "2026-01-01T00:00:00.000Z" };

  it("is written with the item, in the partition that is queried", () => {
    const attributes = listingOf(STEP, "by_tenant", listed);
    expect(attributes).toEqual({
      gsi1pk: "ARTIFACTS#acme",
      gsi1sk: "2026-01-01T00:00:00.000Z#task_1#codegen#2",
    });
    expect(listOf(STEP, "by_tenant", step)).toEqual({ index: "by_tenant", value: attributes.gsi1pk });
    expect(listingAttributes("by_tenant")).toEqual(Object.keys(attributes));
  });

  it("and the key are no fields of the record", () => {
    const open = listingOf(TASK, "open_tasks", { shard: 1, check_at: "now" });
    const item = { ...keyOf(STEP, step), ...listingOf(STEP, "by_tenant", listed), ...open, a: 1 };
    expect(recordFields(item)).toEqual({ a: 1 });
  });

  it("of what is open is in one of eight shards, whatever the task", () => {
    const shards = [..."0123456789abcdefghjkmnpqrstvwxyz"].map((end) => openShard(`task_${end}`));
    expect(new Set(shards).size).toBe(OPEN_SHARDS);
    expect(Math.max(...shards)).toBe(OPEN_SHARDS - 1);
  });
});

describe("the catalogue", () => {
  const kinds = Object.entries(catalogue as Record<string, ItemKind>);
  /** What a template begins with, before its first field. */
  const start = (template: string) => template.split("<")[0] ?? "";

  it.each(kinds)("%s has a place of its own: no other kind's key can be one of its keys", (name, kind) => {
    for (const [other_name, other] of kinds.filter(([one]) => one !== name)) {
      const [mine, others] = [kind, other].map(({ partition, sort }) => [start(partition), start(sort)]);
      const meet = [0, 1].every((part) => {
        const [a = "", b = ""] = [mine?.[part], others?.[part]];
        return a.startsWith(b) || b.startsWith(a);
      });
      expect(meet, `${name} and ${other_name}`).toBe(false);
    }
  });

  it("lists kinds in partitions of their own", () => {
    const partitions = kinds.flatMap(([, { lists = {} }]) =>
      Object.values(lists).map(({ partition }) => partition),
    );
    expect(new Set(partitions).size).toBe(partitions.length);
  });
});
