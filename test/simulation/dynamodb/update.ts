import {
  type Evaluate,
  type Path,
  parseOperand,
  parsePath,
  readPath,
  resolvePath,
  type Scope,
  ValidationError,
} from "./operands.ts";
import { type Tokens, tokenize } from "./tokens.ts";
import { copyValue, type Item } from "./values.ts";

interface Action {
  kind: "SET" | "REMOVE" | "ADD";
  path: Path;
  value?: Evaluate<unknown>;
}

const compiled = new Map<string, Action[]>();
const SECTIONS = ["SET", "REMOVE", "ADD"] as const;

/**
 * The item after an UpdateExpression: every value is taken from the item as it was before.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
 */
export function applyUpdate(expression: string, scope: Scope): Item {
  let actions = compiled.get(expression);
  if (!actions) {
    actions = parseActions(tokenize(expression));
    compiled.set(expression, actions);
  }
  const results = actions.map((action) => ({ ...action, result: copyValue(action.value?.(scope)) }));
  const next = copyValue(scope.item);
  for (const { kind, path, result } of results) {
    const place = resolvePath(path, scope);
    if (kind === "REMOVE") removeAt(next, place);
    else setAt(next, place, kind === "ADD" ? Number(readPath(path, scope) ?? 0) + Number(result) : result);
  }
  return next;
}

function parseActions(tokens: Tokens): Action[] {
  const actions: Action[] = [];
  while (tokens.peek() !== "") {
    const kind = tokens.take().toUpperCase() as Action["kind"];
    if (!SECTIONS.includes(kind)) throw new SyntaxError(`${kind} is no section of an update`);
    do actions.push(parseAction(kind, tokens));
    while (tokens.accept(","));
  }
  return actions;
}

function parseAction(kind: Action["kind"], tokens: Tokens): Action {
  const path = parsePath(tokens);
  if (kind === "REMOVE") return { kind, path };
  if (kind === "ADD") return { kind, path, value: parseOperand(tokens) };
  tokens.expect("=");
  return { kind, path, value: parseSum(tokens) };
}

function parseSum(tokens: Tokens): Evaluate<unknown> {
  const left = parseValue(tokens);
  const sign = tokens.accept("+") ? 1 : tokens.accept("-") ? -1 : 0;
  if (sign === 0) return left;
  const right = parseValue(tokens);
  return (scope) => number(left(scope)) + sign * number(right(scope));
}

function number(value: unknown): number {
  if (typeof value !== "number") throw new ValidationError("an operand of + or - is no number");
  return value;
}

function parseValue(tokens: Tokens): Evaluate<unknown> {
  if (tokens.accept("IF_NOT_EXISTS")) {
    tokens.expect("(");
    const path = parsePath(tokens);
    tokens.expect(",");
    const otherwise = parseValue(tokens);
    tokens.expect(")");
    return (scope) => readPath(path, scope) ?? otherwise(scope);
  }
  if (tokens.accept("LIST_APPEND")) {
    tokens.expect("(");
    const head = parseValue(tokens);
    tokens.expect(",");
    const tail = parseValue(tokens);
    tokens.expect(")");
    return (scope) => [...list(head(scope)), ...list(tail(scope))];
  }
  const operand = parseOperand(tokens);
  return (scope) => {
    const value = operand(scope);
    if (value === undefined)
      throw new ValidationError("the update names an attribute the item does not have");
    return value;
  };
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new ValidationError("an operand of list_append is no list");
  return value;
}

function parentOf(item: Item, place: Path): Item | unknown[] | undefined {
  let parent: unknown = item;
  for (const part of place.slice(0, -1)) parent = (parent as Item | undefined)?.[part];
  return typeof parent === "object" && parent !== null ? (parent as Item) : undefined;
}

function setAt(item: Item, place: Path, value: unknown): void {
  const parent = parentOf(item, place);
  if (!parent) throw new ValidationError(`there is no place ${place.join(".")} in the item`);
  const last = place.at(-1) as string | number;
  if (Array.isArray(parent)) parent[Math.min(Number(last), parent.length)] = value;
  else parent[last] = value;
}

function removeAt(item: Item, place: Path): void {
  const parent = parentOf(item, place);
  const last = place.at(-1) as string | number;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (parent) delete parent[last];
  else if (place.length > 1) throw new ValidationError(`there is no place ${place.join(".")} in the item`);
}
