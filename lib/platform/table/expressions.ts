import type { Item } from "#lib/platform/table/keys.ts";

/** A part of an update expression, with what its `#names` and `:values` stand for. */
export interface ExpressionPart {
  expression: string;
  names: Record<string, string>;
  values: Item;
}

/** Assignments of fields, for a SET: whatever is there, or only where nothing is there yet. */
export function assignments(fields: Item, when: "absent" | "always" = "absent"): ExpressionPart {
  const part: ExpressionPart = { expression: "", names: {}, values: fields };
  const each = Object.keys(fields).map((name) => {
    part.names[`#${name}`] = name;
    return `#${name} = ${when === "absent" ? `if_not_exists(#${name}, :${name})` : `:${name}`}`;
  });
  return { ...part, expression: each.join(", ") };
}

/** Sums for an ADD: attributes with any name, those that are not there from 0. */
export function additions(columns: readonly (readonly [name: string, amount: number])[]): ExpressionPart {
  return {
    expression: columns.map((_, index) => `#a${index} :a${index}`).join(", "),
    names: Object.fromEntries(columns.map(([name], index) => [`#a${index}`, name])),
    values: Object.fromEntries(columns.map(([, amount], index) => [`a${index}`, amount])),
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
