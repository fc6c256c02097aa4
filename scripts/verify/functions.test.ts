import { describe, expect, it } from "vitest";
import { agentsAreComplete } from "./agents-are-complete.ts";
import { greeterTree, serverless } from "./fixture.ts";
import { functionsAreDeployed } from "./functions-are-deployed.ts";
import { queuesKeepMessages } from "./queues-keep-messages.ts";
import { findings } from "./rule.ts";

describe("functions-are-deployed", () => {
  const check = (changes: Record<string, string | undefined>) =>
    functionsAreDeployed.check(greeterTree(changes));

  it("accepts a folder with a handler and a block, and a second handler beside it", () => {
    const sweeper = serverless(
      "functions:",
      "functions:\n  sweeper: { handler: functions/greeter/sweep.handler }",
    );
    expect(check({})).toEqual([]);
    expect(check({ "serverless.yml": sweeper, "functions/greeter/sweep.ts": "" })).toEqual([]);
  });

  it("rejects a folder without a block or without a handler", () => {
    expect(check({ "functions/mute/speak.ts": "" })).toEqual([
      "functions/mute/ has no handler.ts: add it, or move the code to lib/.",
      "functions/mute/ has no block in serverless.yml: add one.",
    ]);
    expect(check({ "serverless.yml": undefined })).toEqual([
      "serverless.yml is missing: give each folder in functions/ a block there.",
    ]);
  });

  it("reports a malformed serverless.yml instead of ending the run", async () => {
    const tree = greeterTree({ "serverless.yml": "functions: [" });
    expect(await findings(functionsAreDeployed, tree)).toEqual([
      expect.stringContaining("could not be checked:"),
    ]);
    const short_tag = serverless("{ Ref: GreeterQueue }", "!Ref GreeterQueue");
    expect(await findings(queuesKeepMessages, greeterTree({ "serverless.yml": short_tag }))).toEqual([
      expect.stringContaining("Unresolved tag: !Ref"),
    ]);
  });

  it("rejects a block whose handler is missing or lies elsewhere", () => {
    const strays =
      "ghost: { handler: functions/ghost/handler.handler }\n  stray: { handler: lib/stray.handler }";
    const file = serverless("functions:", `functions:\n  ${strays}`);
    expect(check({ "serverless.yml": file })).toEqual([
      "serverless.yml: function ghost names functions/ghost/handler.ts, which does not exist.",
      "serverless.yml: function stray runs lib/stray.ts: handlers live in functions/<service>/.",
    ]);
  });
});

describe("queues-keep-messages", () => {
  const check = (text: string, replacement: string) =>
    queuesKeepMessages.check(greeterTree({ "serverless.yml": serverless(text, replacement) }));

  it("accepts a queue with redrive, visibility and address", () => {
    expect(queuesKeepMessages.check(greeterTree())).toEqual([]);
  });

  it("passes over functions no queue feeds", () => {
    expect(check("- sqs:", "- stream:")).toEqual([]);
  });

  it.each([
    ["whole-batch failures", "functionResponseType: ReportBatchItemFailures", "", "ReportBatchItemFailures"],
    [
      "a queue named by its text",
      "arn: { Fn::GetAtt: [GreeterQueue, Arn] }",
      "arn: arn:aws:sqs:x",
      "name its queue",
    ],
    ["a missing queue", "    GreeterQueue:\n", "    OtherQueue:\n", "no AWS::SQS::Queue GreeterQueue"],
    ["a short visibility timeout", "VisibilityTimeout: 180", "VisibilityTimeout: 179", "180 or more"],
    ["a timeout nobody can read", "timeout: 30", "timeout: $" + "{self:custom.timeout}", "as a number"],
    ["no redrive", "RedrivePolicy:", "OtherPolicy:", "RedrivePolicy"],
    ["a missing DLQ", "    GreeterDeadLetterQueue:\n", "    OtherQueue:\n", "DLQ of its own"],
    ["no receive limit", "maxReceiveCount: 20", "", "maxReceiveCount"],
    ["no address", "QUEUE_URL_GREETER", "QUEUE_URL_OTHER", "add QUEUE_URL_GREETER: {Ref: GreeterQueue}"],
    [
      "no DLQ address",
      "DLQ_URL_GREETER",
      "DLQ_URL_OTHER",
      "add DLQ_URL_GREETER: {Ref: GreeterDeadLetterQueue}",
    ],
  ])("rejects %s", (_, text, replacement, said) => {
    const findings = check(text, replacement);
    expect(findings).toHaveLength(1);
    expect(findings).toEqual([expect.stringContaining(said)]);
  });

  it("takes Lambda's and the provider's timeout when the function states none", () => {
    expect(check("timeout: 30", "")).toEqual([]);
    const provided = serverless("timeout: 30", "").replace("provider:", "provider:\n  timeout: 60");
    expect(queuesKeepMessages.check(greeterTree({ "serverless.yml": provided }))).toEqual([
      expect.stringContaining("360 or more"),
    ]);
  });
});

describe("agents-are-complete", () => {
  it("accepts an agent with folder, queue and messages", async () => {
    expect(await agentsAreComplete.check(greeterTree())).toEqual([]);
  });

  it("rejects an agent without a folder", async () => {
    const findings = await agentsAreComplete.check(
      greeterTree({ "functions/greeter/handler.ts": undefined }),
    );
    expect(findings).toEqual([expect.stringContaining("agent greeter has no functions/greeter/handler.ts")]);
  });

  it("rejects an agent no queue feeds", async () => {
    const file = serverless("- sqs:", "- stream:");
    expect(await agentsAreComplete.check(greeterTree({ "serverless.yml": file }))).toEqual([
      expect.stringContaining("no function with an sqs event"),
    ]);
  });

  it("rejects an agent without its message schemas", async () => {
    expect(await agentsAreComplete.check(greeterTree({}, { GreeterInput: "no schema" }))).toEqual([
      expect.stringContaining("export GreeterInput, a z.strictObject, from schemas/messages/greeter.ts"),
      expect.stringContaining("export GreeterOutput"),
    ]);
  });
});
