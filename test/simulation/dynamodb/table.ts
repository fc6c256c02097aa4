import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { compileCondition } from "./condition.ts";
import { ValidationError } from "./operands.ts";
import { type IndexName, type QueryInput, type QueryPage, queryItems, scanItems } from "./query.ts";
import { applyUpdate } from "./update.ts";
import { copyValue, type Item } from "./values.ts";

export interface Key {
  pk: string;
  sk: string;
}

export interface WriteInput {
  ConditionExpression?: string | undefined;
  UpdateExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/** A write that took effect. The items are the table's own: look, do not touch. */
export interface Change {
  key: Key;
  before: Item | undefined;
  after: Item;
  input: WriteInput;
}

export interface Table {
  get(key: Key): Item | undefined;
  /** Throws ConditionalCheckFailedException, and ValidationError for what DynamoDB would refuse. */
  put(item: Item, input: WriteInput): Change;
  update(key: Key, input: WriteInput): Change;
  query(input: QueryInput): QueryPage;
  /** The first `limit` items behind a key, in the order of keys. */
  scan(limit: number, after: Item | undefined): QueryPage;
  /** Every item as it stands. */
  items(): Iterable<Item>;
}

interface IndexLag {
  now(): number;
  /** How long the next write takes to reach the indexes. */
  lag_ms(): number;
}

const itemId = ({ pk, sk }: Key) => `${pk}\n${sk}`;

/** DynamoDB with its two global secondary indexes, which follow each item's writes in order, later. */
export function makeTable({ now, lag_ms }: IndexLag): Table {
  const items = new Map<string, Item>();
  const indexed = new Map<string, Item>();
  const pending: { id: string; item: Item; due: number }[] = [];
  const last_due = new Map<string, number>();

  const store = (key: Key, before: Item | undefined, after: Item, input: WriteInput): Change => {
    const id = itemId(key);
    items.set(id, after);
    const due = Math.max(last_due.get(id) ?? 0, now() + lag_ms());
    last_due.set(id, due);
    pending.push({ id, item: after, due });
    return { key, before, after, input };
  };
  const catchUp = () => {
    for (let index = 0; index < pending.length; ) {
      const { id, item, due } = pending[index] as (typeof pending)[number];
      if (due > now()) index += 1;
      else {
        indexed.set(id, item);
        pending.splice(index, 1);
      }
    }
  };
  const sourceOf = (index: IndexName | undefined) => {
    if (!index) return items;
    catchUp();
    return indexed;
  };

  return {
    get: (key) => copyValue(items.get(itemId(key))),
    put(item, input) {
      const key = keyOf(item);
      const before = items.get(itemId(key));
      checkCondition(before, input);
      return store(key, before, copyValue(item), input);
    },
    update(key, input) {
      const before = items.get(itemId(key));
      checkCondition(before, input);
      if (!input.UpdateExpression) throw new ValidationError("an update needs an UpdateExpression");
      const scope = { item: before ?? { ...keyOf(key) }, ...namesAndValues(input) };
      return store(key, before, applyUpdate(input.UpdateExpression, scope), input);
    },
    query: (input) => queryItems(sourceOf(input.IndexName as IndexName | undefined).values(), input),
    scan: (limit, after) => scanItems(items.values(), limit, after),
    items: () => items.values(),
  };
}

function keyOf({ pk, sk }: Item | Key): Key {
  if (typeof pk !== "string" || typeof sk !== "string" || !pk || !sk) {
    throw new ValidationError("an item needs the string keys pk and sk");
  }
  return { pk, sk };
}

function namesAndValues(input: WriteInput) {
  return { names: input.ExpressionAttributeNames ?? {}, values: input.ExpressionAttributeValues ?? {} };
}

function checkCondition(before: Item | undefined, input: WriteInput): void {
  checkUsed(input);
  if (input.ConditionExpression === undefined) return;
  const holds = compileCondition(input.ConditionExpression);
  if (holds({ item: before ?? {}, ...namesAndValues(input) })) return;
  throw new ConditionalCheckFailedException({ message: "The conditional request failed", $metadata: {} });
}

/** DynamoDB refuses names and values that no expression uses. */
function checkUsed(input: WriteInput): void {
  const expressions = `${input.ConditionExpression ?? ""} ${input.UpdateExpression ?? ""} `;
  const { names, values } = namesAndValues(input);
  for (const word of [...Object.keys(names), ...Object.keys(values)]) {
    if (!expressions.includes(word)) throw new ValidationError(`${word} is unused in the expressions`);
  }
}
