export type Item = Record<string, unknown>;

/** Deep copy of what DynamoDB can hold, without `undefined`, as the document client marshals it. */
export function copyValue<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.filter((element) => element !== undefined).map(copyValue) as Value;
  }
  const copy: Item = {};
  for (const name in value) {
    const field: unknown = value[name];
    if (field !== undefined) copy[name] = copyValue(field);
  }
  return copy as Value;
}

export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equalValues((a as Item)[name], (b as Item)[name]));
}

/** Negative, zero or positive; undefined when the two have no order (a missing attribute, other types). */
export function compareValues(a: unknown, b: unknown): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  return undefined;
}
