import type { IndexName, ItemKind, TableAction } from "#lib/platform/table/item-kind.ts";
import * as catalogue from "#lib/platform/table/items.ts";
import { attributesOf, type ItemAction, indexed, items, type Statement } from "./statement.ts";

/** Every kind of item, by the name of its constant in lib/platform/table/items.ts. */
export const ITEM_KINDS: Readonly<Record<string, ItemKind>> = catalogue;

/** The duties that the catalogue knows. */
export function tableDuties(kinds: Readonly<Record<string, ItemKind>> = ITEM_KINDS): string[] {
  return [...new Set(Object.values(kinds).flatMap(({ access }) => Object.keys(access)))];
}

/** What a duty may do with the table: for each kind of item what the catalogue says, and no more. */
export function tableGrants(
  duty: string,
  kinds: Readonly<Record<string, ItemKind>> = ITEM_KINDS,
): Statement[] {
  const actions = new Map<string, Set<ItemAction>>();
  const queries: Statement[] = [];
  const limited: Statement[] = [];
  for (const kind of Object.values(kinds)) {
    const pattern = patternOf(kind.partition);
    for (const action of actionsOf(kind, duty)) {
      if (typeof action === "object") {
        limited.push(attributesOf([pattern], ["UpdateItem"], ["pk", "sk", ...action.UpdateItem]));
        continue;
      }
      const [name, index] = action.split(" ") as [ItemAction, IndexName?];
      if (index) queries.push(indexed(index, [patternOf(listPartition(kind, index))]));
      else actions.set(pattern, (actions.get(pattern) ?? new Set()).add(name));
    }
  }
  const granted = [...actions].map(([pattern, names]) => items([pattern], [...names].sort()));
  return [...granted, ...limited, ...queries];
}

function actionsOf({ access }: ItemKind, duty: string): readonly TableAction[] {
  return Object.hasOwn(access, duty) ? (access[duty] ?? []) : [];
}

function listPartition(kind: ItemKind, index: IndexName): string {
  const list = kind.lists?.[index];
  if (!list)
    throw new Error(`${kind.partition} ${kind.sort} is not listed in ${index}; its access names that index`);
  return list.partition;
}

/** The partition keys of a kind, as IAM matches them: all after the first field is `*`. */
function patternOf(partition: string): string {
  const [start = ""] = partition.split("<");
  return start === partition ? partition : `${start}*`;
}
