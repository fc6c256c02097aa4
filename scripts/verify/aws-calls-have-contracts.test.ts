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
});
