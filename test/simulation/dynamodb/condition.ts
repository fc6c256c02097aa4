import { type Evaluate, parseOperand, parsePath, readPath } from "./operands.ts";
import { type Tokens, tokenize } from "./tokens.ts";
import { compareValues, equalValues } from "./values.ts";

const compiled = new Map<string, Evaluate<boolean>>();

/**
 * A ConditionExpression or KeyConditionExpression as a function.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
 */
export function compileCondition(expression: string): Evaluate<boolean> {
  let condition = compiled.get(expression);
  if (!condition) {
    const tokens = tokenize(expression);
    condition = parseOr(tokens);
    tokens.expect("");
    compiled.set(expression, condition);
  }
  return condition;
}

function parseOr(tokens: Tokens): Evaluate<boolean> {
  const terms = [parseAnd(tokens)];
  while (tokens.accept("OR")) terms.push(parseAnd(tokens));
  return terms.length === 1 ? (terms[0] as Evaluate<boolean>) : (scope) => terms.some((term) => term(scope));
}

function parseAnd(tokens: Tokens): Evaluate<boolean> {
  const terms = [parseNot(tokens)];
  while (tokens.accept("AND")) terms.push(parseNot(tokens));
  return terms.length === 1 ? (terms[0] as Evaluate<boolean>) : (scope) => terms.every((term) => term(scope));
}

function parseNot(tokens: Tokens): Evaluate<boolean> {
  if (!tokens.accept("NOT")) return parsePrimary(tokens);
  const term = parseNot(tokens);
  return (scope) => !term(scope);
}

function parsePrimary(tokens: Tokens): Evaluate<boolean> {
  if (tokens.accept("(")) {
    const term = parseOr(tokens);
    tokens.expect(")");
    return term;
  }
  if (tokens.peek() === "ATTRIBUTE_EXISTS" || tokens.peek() === "ATTRIBUTE_NOT_EXISTS") {
    const wanted = tokens.take().toUpperCase() === "ATTRIBUTE_EXISTS";
    tokens.expect("(");
    const path = parsePath(tokens);
    tokens.expect(")");
    return (scope) => (readPath(path, scope) !== undefined) === wanted;
  }
  return tokens.accept("BEGINS_WITH") ? parseBeginsWith(tokens) : parseComparison(tokens);
}

function parseBeginsWith(tokens: Tokens): Evaluate<boolean> {
  tokens.expect("(");
  const whole = parseOperand(tokens);
  tokens.expect(",");
  const start = parseOperand(tokens);
  tokens.expect(")");
  return (scope) => {
    const [text, prefix] = [whole(scope), start(scope)];
    return typeof text === "string" && typeof prefix === "string" && text.startsWith(prefix);
  };
}

function parseComparison(tokens: Tokens): Evaluate<boolean> {
  const left = parseOperand(tokens);
  if (tokens.accept("IN")) return parseIn(left, tokens);
  if (tokens.accept("BETWEEN")) {
    const low = parseOperand(tokens);
    tokens.expect("AND");
    const high = parseOperand(tokens);
    return (scope) =>
      ordered(left(scope), low(scope), (order) => order >= 0) &&
      ordered(left(scope), high(scope), (order) => order <= 0);
  }
  const comparator = tokens.take();
  const right = parseOperand(tokens);
  const holds = comparators[comparator];
  if (!holds) throw new SyntaxError(`${comparator} is no comparator`);
  return (scope) => holds(left(scope), right(scope));
}

function parseIn(left: Evaluate<unknown>, tokens: Tokens): Evaluate<boolean> {
  const choices: Evaluate<unknown>[] = [];
  tokens.expect("(");
  do choices.push(parseOperand(tokens));
  while (tokens.accept(","));
  tokens.expect(")");
  return (scope) => {
    const value = left(scope);
    return value !== undefined && choices.some((choice) => equalValues(value, choice(scope)));
  };
}

function ordered(a: unknown, b: unknown, holds: (order: number) => boolean): boolean {
  const order = compareValues(a, b);
  return order !== undefined && holds(order);
}

/** A comparison with a missing attribute is false; `<>` with one is true, as on DynamoDB. */
const comparators: Record<string, (a: unknown, b: unknown) => boolean> = {
  "=": (a, b) => a !== undefined && equalValues(a, b),
  "<>": (a, b) => !equalValues(a, b),
  "<": (a, b) => ordered(a, b, (order) => order < 0),
  "<=": (a, b) => ordered(a, b, (order) => order <= 0),
  ">": (a, b) => ordered(a, b, (order) => order > 0),
  ">=": (a, b) => ordered(a, b, (order) => order >= 0),
};
