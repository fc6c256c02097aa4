/** What CloudFormation would answer for one logical resource. */
export interface ResourceValues {
  /** What `Ref` gives: a queue's URL, a table's or bucket's name. */
  ref: string;
  /** What `Fn::GetAtt` gives, by attribute name. */
  attributes: Record<string, string>;
}

export type ResourceLookup = (logical_id: string) => ResourceValues | undefined;

/**
 * Replaces Ref, Fn::GetAtt, Fn::Sub and Fn::Join, wherever they stand in `value`, as CloudFormation
 * would. Other intrinsics and unknown names throw, naming what was asked for.
 */
export function resolveIntrinsics(value: unknown, lookup: ResourceLookup): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveIntrinsics(item, lookup));
  if (typeof value !== "object" || value === null) return value;
  const [name, argument, ...rest] = Object.entries(value).flat();
  if (rest.length === 0) {
    if (name === "Ref") return found(lookup, String(argument)).ref;
    if (name === "Fn::GetAtt") return attribute(lookup, argument);
    if (name === "Fn::Sub") return substituted(lookup, argument);
    if (name === "Fn::Join") return joined(lookup, argument);
    if (String(name).startsWith("Fn::")) {
      throw new Error(
        `The local stack does not know ${name}; it knows Ref, Fn::GetAtt, Fn::Sub and Fn::Join.`,
      );
    }
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveIntrinsics(item, lookup)]),
  );
}

function found(lookup: ResourceLookup, logical_id: string): ResourceValues {
  const values = lookup(logical_id);
  if (!values) {
    throw new Error(
      `serverless.yml refers to ${logical_id}, which is no resource the local stack can create.`,
    );
  }
  return values;
}

function attribute(lookup: ResourceLookup, argument: unknown): string {
  const [logical_id = "", ...path] = Array.isArray(argument)
    ? (argument as string[])
    : String(argument).split(".");
  const name = path.join(".");
  const value = found(lookup, logical_id).attributes[name];
  if (value === undefined) throw new Error(`The local stack has no attribute ${name} for ${logical_id}.`);
  return value;
}

function substituted(lookup: ResourceLookup, argument: unknown): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const given = resolveIntrinsics(variables ?? {}, lookup) as Record<string, string>;
  return String(template).replaceAll(/\$\{([^!}][^}]*)\}/g, (_match, name: string) => {
    if (name in given) return String(given[name]);
    return name.includes(".") && !name.startsWith("AWS::")
      ? attribute(lookup, name)
      : found(lookup, name).ref;
  });
}

function joined(lookup: ResourceLookup, argument: unknown): string {
  const [separator, parts] = argument as [string, unknown[]];
  return parts.map((part) => String(resolveIntrinsics(part, lookup))).join(separator);
}
