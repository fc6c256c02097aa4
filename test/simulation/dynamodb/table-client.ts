import { ConditionalCheckFailedException, type ReturnValue } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { Invocation } from "../engine/invocation.ts";
import { call } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import type { Change, Key, WriteInput } from "./table.ts";
import { copyValue, equalValues, type Item } from "./values.ts";

export type OnWrite = (change: Change, invocation: Invocation) => void;

/** The table as one invocation's document client sees it. */
export function tableClient(world: World, invocation: Invocation, onWrite: OnWrite): DynamoDBDocumentClient {
  const { table, mutation, faults } = world;

  const write = (
    key: Key,
    input: WriteInput,
    apply: (input: WriteInput) => Change,
    returned: ReturnValue = "NONE",
  ) => {
    return () => {
      const mutated = mutation.write ? mutation.write(input, { pk: key.pk, sk: key.sk }) : input;
      if (mutated === null) return { Attributes: table.get(key) };
      const change = counted(world, mutated, apply);
      onWrite(change, invocation);
      return { Attributes: copyValue(attributesOf(change, returned)) };
    };
  };
  const operation = (command: unknown): { label: string; effect: () => unknown } => {
    if (command instanceof GetCommand) {
      const key = command.input.Key as Key;
      return { label: `get ${key.pk} ${key.sk}`, effect: () => ({ Item: table.get(key) }) };
    }
    if (command instanceof PutCommand) {
      const item = copyValue(command.input.Item as Item & Key);
      const input = writeInput(command.input);
      return { label: `put ${item.pk} ${item.sk}`, effect: write(item, input, (i) => table.put(item, i)) };
    }
    if (command instanceof UpdateCommand) {
      const key = command.input.Key as Key;
      const input = writeInput(command.input);
      return {
        label: `update ${key.pk} ${key.sk}`,
        effect: write(key, input, (i) => table.update(key, i), command.input.ReturnValues),
      };
    }
    if (command instanceof QueryCommand) {
      const input = mutation.query?.(command.input) ?? command.input;
      const Limit = Math.min(input.Limit ?? faults.page_items_max, faults.page_items_max);
      return { label: `query ${input.IndexName ?? ""}`, effect: () => table.query({ ...input, Limit }) };
    }
    if (command instanceof ScanCommand) {
      const { Limit = faults.page_items_max, ExclusiveStartKey } = command.input;
      return { label: "scan", effect: () => table.scan(Limit, ExclusiveStartKey) };
    }
    throw new TypeError(`the simulated table does not know ${command?.constructor.name}`);
  };
  const send = (command: unknown) => call(world, invocation, operation(command));
  return { send } as unknown as DynamoDBDocumentClient;
}

function counted(world: World, input: WriteInput, apply: (input: WriteInput) => Change): Change {
  try {
    return apply(input);
  } catch (error) {
    const fenced = input.ConditionExpression?.includes("#owner = :owner");
    if (error instanceof ConditionalCheckFailedException) {
      world.count(fenced ? "fenced writes refused" : "conditions refused");
    }
    throw error;
  }
}

function attributesOf({ before, after }: Change, returned: ReturnValue): Item | undefined {
  switch (returned) {
    case "NONE":
      return undefined;
    case "ALL_OLD":
      return before;
    case "ALL_NEW":
      return after;
    case "UPDATED_NEW":
      return Object.fromEntries(
        Object.entries(after).filter(([name, value]) => !equalValues(value, before?.[name])),
      );
    default:
      throw new TypeError(`the simulated table returns no ${returned}`);
  }
}

/** Values are taken when the request is made, as marshalling does. */
function writeInput(input: WriteInput): WriteInput {
  const { ConditionExpression, UpdateExpression, ExpressionAttributeNames } = input;
  const ExpressionAttributeValues = copyValue(input.ExpressionAttributeValues);
  return { ConditionExpression, UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues };
}
