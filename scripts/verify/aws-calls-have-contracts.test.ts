import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { awsCallsHaveContracts } from "./aws-calls-have-contracts.ts";

const SENDER = 'import { SendMessageCommand } from "@aws-sdk/client-sqs"; new SendMessageCommand({});';
const CONTRACT = `semantic("x", { relied_on_by: ["lib/a/send.ts"] }); ${SENDER}`;

describe("aws-calls-have-contracts", () => {
  it("accepts a file that a contract names and whose commands it sends", () => {
    const tree = memoryTree({ "lib/a/send.ts": SENDER, "test/contract/sqs/a.test.ts": CONTRACT });
    expect(awsCallsHaveContracts.check(tree)).toEqual([]);
  });

  it("rejects a file that no contract names, and a command that none sends", () => {
    const tree = memoryTree({
      "lib/a/send.ts": `${SENDER.replace("{ ", "{ PurgeQueueCommand, ")} new PurgeQueueCommand({});`,
      "lib/a/other.ts": SENDER,
      "lib/a/send.test.ts": SENDER,
      "lib/a/none.ts": 'import { GameCommand } from "game"; new GameCommand();',
      "test/contract/sqs/a.test.ts": CONTRACT,
    });
    expect(awsCallsHaveContracts.check(tree)).toEqual([
      "lib/a/other.ts asks AWS for SendMessageCommand: name it in relied_on_by of a test in test/contract.",
      "lib/a/send.ts sends PurgeQueueCommand, which no test in test/contract does: say there what it relies on.",
    ]);
  });

  it("holds what the table module is asked for to the same", () => {
    const update =
      'import { type Update, updateIf } from "#lib/platform/table/operations.ts"; updateIf(key, {});';
    const contract = 'import { UpdateCommand } from "@aws-sdk/lib-dynamodb"; new UpdateCommand({});';
    const tree = memoryTree({
      "lib/a/named.ts": update,
      "lib/a/other.ts": update,
      "lib/a/types.ts":
        'import type { Update } from "#lib/platform/table/operations.ts"; export type X = Update;',
      "lib/a/once.ts":
        'import { putIfOurs } from "#lib/platform/table/operations.ts"; putIfOurs<Item>(item);',
      "test/contract/dynamodb/a.test.ts": `semantic("x", { relied_on_by: ["lib/a/named.ts", "lib/a/once.ts"] }); ${contract}`,
    });
    expect(awsCallsHaveContracts.check(tree)).toEqual([
      "lib/a/once.ts sends PutCommand, which no test in test/contract does: say there what it relies on.",
      "lib/a/once.ts sends GetCommand, which no test in test/contract does: say there what it relies on.",
      "lib/a/other.ts asks AWS for UpdateCommand: name it in relied_on_by of a test in test/contract.",
    ]);
  });

  it("rejects an operation of the table module it does not know, and a contract for a file that is gone", () => {
    const tree = memoryTree({
      "lib/platform/table/operations.ts": "export async function scanAll() {}\nexport function putIf() {}",
      "test/contract/dynamodb/a.test.ts": 'semantic("x", { relied_on_by: ["lib/a/gone.ts"] });',
    });
    expect(awsCallsHaveContracts.check(tree)).toEqual([
      "lib/platform/table/operations.ts exports scanAll: say in aws-calls-have-contracts which commands it sends.",
      "a test in test/contract says that lib/a/gone.ts relies on it; there is no such file.",
    ]);
  });
});
