import { INDEXES, type IndexName } from "#lib/platform/table/item-kind.ts";

/** An attribute as DynamoDB's protocol writes it, such as `{ S: "text" }`. */
type AttributeValue = Record<string, unknown>;
/** An item as DynamoDB's protocol writes it. */
export type WireItem = Record<string, AttributeValue>;

/** Write units that one write takes in the table and in each index. */
export type WriteUnits = Record<"table" | IndexName, number>;

/**
 * Write units of a write that replaced `before` by `after`; undefined: no item. A unit is 1 KB begun. The table
 * takes the larger of both. An index takes nothing while it lists neither, one write when the item enters, leaves or
 * changes in place, and two, a delete and a put, when an index key changes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
 */
export function writeUnits(before: WireItem | undefined, after: WireItem | undefined): WriteUnits {
  const units: WriteUnits = {
    table: Math.max(unitsOf(before), unitsOf(after), 1),
    by_tenant: 0,
    open_tasks: 0,
  };
  for (const index of Object.keys(INDEXES) as IndexName[]) units[index] = indexUnits(index, before, after);
  return units;
}

function indexUnits(index: IndexName, before: WireItem | undefined, after: WireItem | undefined): number {
  const was = listed(index, before);
  const is = listed(index, after);
  if (!was || !is) return unitsOf(was ?? is);
  const { partition, sort } = INDEXES[index];
  const moved = [partition, sort].some((name) => !same(was[name], is[name]));
  if (moved) return unitsOf(was) + unitsOf(is);
  return same(was, is) ? 0 : Math.max(unitsOf(was), unitsOf(is));
}

/** The item as the index holds it; undefined when it lacks one of the index's keys. */
function listed(index: IndexName, item: WireItem | undefined): WireItem | undefined {
  const { partition, sort, holds } = INDEXES[index];
  if (!item?.[partition] || !item[sort]) return undefined;
  if (holds === "ALL") return item;
  const keys = ["pk", "sk", partition, sort];
  return Object.fromEntries(Object.entries(item).filter(([name]) => keys.includes(name)));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function unitsOf(item: WireItem | undefined): number {
  return item ? Math.ceil(itemBytes(item) / 1024) : 0;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
function itemBytes(item: WireItem): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(attribute: AttributeValue): number {
  const [[type, value] = ["NULL", true]] = Object.entries(attribute);
  switch (type) {
    case "S":
      return Buffer.byteLength(String(value));
    case "N":
      return Math.ceil(String(value).replace(/[-.]/g, "").length / 2) + 1;
    case "B":
      return Buffer.from(String(value), "base64").length;
    case "L":
      return 3 + (value as AttributeValue[]).reduce((sum, one) => sum + 1 + valueBytes(one), 0);
    case "M":
      return 3 + Object.keys(value as WireItem).length + itemBytes(value as WireItem);
    case "SS":
      return (value as string[]).reduce((sum, one) => sum + Buffer.byteLength(one), 0);
    default:
      return 1; // BOOL and NULL
  }
}
