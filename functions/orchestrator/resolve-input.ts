/**
 * A step's input from places in the context: a task field (`source`), an earlier step's output
 * (`codegen.diff`), or the first of several that is there (`index.source | source`). A place that
 * is empty leaves its field out; the agent's own schema says whether it can do without.
 */
export function resolveInput(
  places: Record<string, string>,
  context: Record<string, unknown>,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [field, alternatives] of Object.entries(places)) {
    const values = alternatives.split("|").map((place) => lookUp(place.trim(), context));
    const value = values.find((candidate) => candidate !== undefined);
    if (value !== undefined) input[field] = value;
  }
  return input;
}

function lookUp(place: string, context: unknown): unknown {
  return place.split(".").reduce<unknown>((at, name) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    return (at as Record<string, unknown>)[name];
  }, context);
}
