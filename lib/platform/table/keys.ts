import { INDEXES, type IndexName, type ItemKind } from "#lib/platform/table/item-kind.ts";

/** An item as the table has it: its record's fields, and the attributes that place and list it. */
export type Item = Record<string, unknown>;

/** The fields that a key of the catalogue names: `"A#<x>#<y>"` → `"x" | "y"`. */
type FieldsOf<Template extends string> = Template extends `${string}<${infer Field}>${infer Rest}`
  ? Field | FieldsOf<Rest>
  : never;
type ValuesOf<Template extends string> = Readonly<Record<FieldsOf<Template>, string | number>>;
type ListOf<Kind extends ItemKind, Index extends IndexName> = NonNullable<NonNullable<Kind["lists"]>[Index]>;

declare const from_catalogue: unique symbol;

/** Where one item is. Only the functions of this file make one, so that every key is the catalogue's. */
export interface Key {
  pk: string;
  sk: string;
  [from_catalogue]: true;
}

/** The items that share a partition key, in the table or in an index. */
export interface Partition {
  index?: IndexName;
  value: string;
  [from_catalogue]: true;
}

/** Attributes that list an item in an index. */
export type Listing<Index extends IndexName> = Record<(typeof INDEXES)[Index]["partition" | "sort"], string>;

/** Where the item of a kind with these fields is. Throws TypeError when a field is missing. */
export function keyOf<Kind extends ItemKind>(
  kind: Kind,
  fields: ValuesOf<Kind["partition"] | Kind["sort"]>,
): Key {
  return { pk: filled(kind.partition, fields), sk: filled(kind.sort, fields) } as Key;
}

/** Where an item that was read is. */
export function keyOfItem({ pk, sk }: Item): Key {
  return { pk, sk } as Key;
}

/** The partition of the table that holds items of a kind with these fields. */
export function partitionOf<Kind extends ItemKind>(
  kind: Kind,
  fields: ValuesOf<Kind["partition"]>,
): Partition {
  return { value: filled(kind.partition, fields) } as Partition;
}

/** The partition of an index that lists items of a kind with these fields. */
export function listOf<Kind extends ItemKind, Index extends IndexName>(
  kind: Kind,
  index: Index,
  fields: ValuesOf<ListOf<Kind, Index>["partition"]>,
): Partition {
  return { index, value: filled(templatesOf(kind, index).partition, fields) } as Partition;
}

/** What an item is written with to be listed in an index. */
export function listingOf<Kind extends ItemKind, Index extends IndexName>(
  kind: Kind,
  index: Index,
  fields: ValuesOf<ListOf<Kind, Index>["partition" | "sort"]>,
): Listing<Index> {
  const { partition, sort } = templatesOf(kind, index);
  const attributes = INDEXES[index];
  return {
    [attributes.partition]: filled(partition, fields),
    [attributes.sort]: filled(sort, fields),
  } as Listing<Index>;
}

/** The attributes to remove so that an index does not list the item any more. */
export function listingAttributes(index: IndexName): string[] {
  const { partition, sort } = INDEXES[index];
  return [partition, sort];
}

/** An item without the attributes that place and list it: its record's fields. */
export function recordFields(item: Item): Item {
  const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, gsi2pk: _3, gsi2sk: _4, ...fields } = item;
  return fields;
}

/** The fields that the sort key of an item is made of. */
export function sortFields<Kind extends ItemKind>(
  { sort }: Kind,
  { sk }: Item,
): Record<FieldsOf<Kind["sort"]>, string> {
  return fieldsIn(sort, String(sk)) as Record<FieldsOf<Kind["sort"]>, string>;
}

/** The fields that the partition key of an item is made of. */
export function partitionFields<Kind extends ItemKind>(
  { partition }: Kind,
  { pk }: Item,
): Record<FieldsOf<Kind["partition"]>, string> {
  return fieldsIn(partition, String(pk)) as Record<FieldsOf<Kind["partition"]>, string>;
}

/** The values in a key by the names of its fields. */
function fieldsIn(template: string, key: string): Record<string, string> {
  const pattern = template.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/<(\w+)>/g, "(?<$1>.*?)");
  return { ...new RegExp(`^${pattern}$`).exec(key)?.groups };
}

/** Whether an item of a partition that kinds share is of this kind. */
export function isOfKind({ sort }: ItemKind, { sk }: Item): boolean {
  const [start = ""] = sort.split("<");
  return start === sort ? sk === sort : String(sk).startsWith(start);
}

/** Items that have not ended are spread over so many partitions of index `open_tasks`. */
export const OPEN_SHARDS = 8;

/** The shard of index `open_tasks` that lists what belongs to a task. */
export function openShard(task_id: string): number {
  return task_id.charCodeAt(task_id.length - 1) % OPEN_SHARDS;
}

function templatesOf(kind: ItemKind, index: IndexName): { partition: string; sort: string } {
  const list = kind.lists?.[index];
  if (!list) throw new TypeError(`the catalogue lists no ${kind.partition} ${kind.sort} in index ${index}`);
  return list;
}

function filled(template: string, fields: Readonly<Record<string, string | number>>): string {
  return template.replace(/<(\w+)>/g, (_, name: string) => {
    const value = fields[name];
    if (value === undefined) throw new TypeError(`a key ${template} needs the field ${name}`);
    return String(value);
  });
}
