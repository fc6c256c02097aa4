import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { expect } from "vitest";
import { type Key, makeTable, type Table } from "./table.ts";
import type { Item } from "./values.ts";

interface Answer {
  Item?: Item | undefined;
  Items?: Item[] | undefined;
  Attributes?: Item | undefined;
  LastEvaluatedKey?: Item | undefined;
  error?: string;
}

export interface BothTables {
  table: DynamoDBDocumentClient;
  /** Requests compared, by command and by what came of them. */
  compared: Map<string, number>;
}

/** A document client that asks the emulator and the simulated table, and fails where they differ. */
export function bothTables(real: DynamoDBDocumentClient): BothTables {
  const simulated = makeTable({ now: () => 0, lag_ms: () => 0 });
  const compared = new Map<string, number>();
  const send = async (command: GetCommand | PutCommand | UpdateCommand | QueryCommand) => {
    const here = attempt(() => answer(simulated, command));
    const { value, error } = await real.send(command as GetCommand).then(
      (found) => ({ value: found as Answer, error: undefined }),
      (thrown: Error) => ({ value: { error: thrown.name } as Answer, error: thrown }),
    );
    const there = facts(value);
    const name = `${command.constructor.name} ${there.error ?? "answered"}`;
    compared.set(name, (compared.get(name) ?? 0) + 1);
    expect(facts(here), `${JSON.stringify(command.input, null, 1)}\n${String(error)}`).toEqual(there);
    if (error) throw error;
    return value;
  };
  return { table: { send } as unknown as DynamoDBDocumentClient, compared };
}

function facts({ Item, Items, Attributes, LastEvaluatedKey, error }: Answer): Answer {
  return {
    ...(Item && { Item }),
    ...(Items && { Items }),
    ...(Attributes && { Attributes }),
    ...(LastEvaluatedKey && { LastEvaluatedKey }),
    ...(error && { error }),
  };
}

function answer(table: Table, command: unknown): Answer {
  if (command instanceof GetCommand) return { Item: table.get(command.input.Key as Key) };
  if (command instanceof QueryCommand) return table.query(command.input);
  if (command instanceof PutCommand) {
    table.put(command.input.Item as Item, command.input);
    return {};
  }
  if (!(command instanceof UpdateCommand)) throw new TypeError("the code sends a command of a new kind");
  const { after } = table.update(command.input.Key as Key, command.input);
  return command.input.ReturnValues === "ALL_NEW" ? { Attributes: after } : {};
}

function attempt(run: () => Answer): Answer {
  try {
    return run();
  } catch (error) {
    return { error: (error as Error).name };
  }
}
