import type { Tokens } from "./tokens.ts";
import type { Item } from "./values.ts";

/** What an expression is evaluated against. */
export interface Scope {
  item: Item;
  names: Record<string, string>;
  values: Record<string, unknown>;
}

export type Evaluate<Result> = (scope: Scope) => Result;

/** A place in an item: attribute names and list indices. */
export type Path = (string | number)[];

export class ValidationError extends Error {
  override readonly name = "ValidationException";
}

export function parsePath(tokens: Tokens): Path {
  const path: Path = [tokens.take()];
  for (;;) {
    if (tokens.accept(".")) path.push(tokens.take());
    else if (tokens.accept("[")) {
      path.push(Number(tokens.take()));
      tokens.expect("]");
    } else return path;
  }
}

/** The path with its `#` names resolved. */
export function resolvePath(path: Path, { names }: Scope): Path {
  return path.map((part) => {
    if (typeof part === "number" || !part.startsWith("#")) return part;
    const name = names[part];
    if (name === undefined) throw new ValidationError(`${part} is not in ExpressionAttributeNames`);
    return name;
  });
}

export function readPath(path: Path, scope: Scope): unknown {
  let value: unknown = scope.item;
  for (const part of resolvePath(path, scope)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Item)[part];
  }
  return value;
}

/** `:value` or a path. */
export function parseOperand(tokens: Tokens): Evaluate<unknown> {
  if (!tokens.peek().startsWith(":")) {
    const path = parsePath(tokens);
    return (scope) => readPath(path, scope);
  }
  const name = tokens.take();
  return ({ values }) => {
    if (values[name] === undefined) throw new ValidationError(`${name} is not in ExpressionAttributeValues`);
    return values[name];
  };
}
