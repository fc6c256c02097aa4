import type { Item } from "#lib/platform/table/keys.ts";

/** Assignments of fields, for a SET: always, or each only if the item does not have it. */
export function assignments(
  fields: Item,
  when: "always" | "if absent" = "always",
): { expression: string; values: Item } {
  const each = Object.keys(fields).map((name) =>
    when === "always" ? `#${name} = :${name}` : `#${name} = if_not_exists(#${name}, :${name})`,
  );
  return { expression: each.join(", "), values: fields };
}

/** Sums for an ADD: attributes with any name, those that are not there from 0. */
export function additions(columns: readonly (readonly [name: string, amount: number])[]): {
  expression: string;
  names: Record<string, string>;
  values: Item;
} {
  return {
    expression: columns.map((_, index) => `#a${index} :a${index}`).join(", "),
    names: Object.fromEntries(columns.map(([name], index) => [`#a${index}`, name])),
    values: Object.fromEntries(columns.map(([, amount], index) => [`a${index}`, amount])),
  };
}

/** Attributes with any name, for a REMOVE. */
export function removals(columns: readonly string[]): { expression: string; names: Record<string, string> } {
  return {
    expression: columns.map((_, index) => `#r${index}`).join(", "),
    names: Object.fromEntries(columns.map((name, index) => [`#r${index}`, name])),
  };
}

/** Every `#name` of the expressions that stands for itself, and those that were given. */
export function namesIn(
  expressions: (string | undefined)[],
  given: Record<string, string> = {},
): Record<string, string> | undefined {
  const used = expressions.join(" ").match(/#\w+/g) ?? [];
  const names = Object.fromEntries(used.map((name) => [name, given[name] ?? name.slice(1)]));
  return used.length > 0 ? names : undefined;
}

/** Values with the colon that expressions have before them; undefined when there are none. */
export function namedValues(values: Item = {}): Item | undefined {
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value]);
  return named.length > 0 ? Object.fromEntries(named) : undefined;
}
