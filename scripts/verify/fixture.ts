import { z } from "zod";
import { memoryTree } from "../tree/memory-tree.ts";
import type { Tree } from "../tree/tree.ts";

/** A serverless.yml with one queue-fed function, `greeter`, in which nothing is wrong. */
const SERVERLESS = `
provider:
  environment:
    QUEUE_URL_GREETER: { Ref: GreeterQueue }
    DLQ_URL_GREETER: { Ref: GreeterDeadLetterQueue }
functions:
  greeter:
    handler: functions/greeter/handler.handler
    timeout: 30
    events:
      - sqs:
          arn: { Fn::GetAtt: [GreeterQueue, Arn] }
          functionResponseType: ReportBatchItemFailures
resources:
  Resources:
    GreeterQueue:
      Type: AWS::SQS::Queue
      Properties:
        VisibilityTimeout: 180
        RedrivePolicy:
          deadLetterTargetArn: { Fn::GetAtt: [GreeterDeadLetterQueue, Arn] }
          maxReceiveCount: 20
    GreeterDeadLetterQueue:
      Type: AWS::SQS::Queue
`;

/** That file with the first occurrence of `text` replaced. Throws when there is none. */
export function serverless(text: string, replacement: string): string {
  if (!SERVERLESS.includes(text)) throw new Error(`The fixture does not say ${text}`);
  return SERVERLESS.replace(text, () => replacement);
}

const MESSAGES = {
  GreeterInput: z.strictObject({ source: z.string(), name: z.string().optional() }),
  GreeterOutput: z.strictObject({ greeting: z.string() }),
};

/** One workflow `hello` with the given steps. */
export function workflows(...steps: object[]): string {
  return JSON.stringify({ $schema: "x", workflows: { hello: { description: "", requires: [], steps } } });
}

/** A consistent tree around the agent `greeter`, with files replaced or, by undefined, taken away. */
export function greeterTree(
  changes: Record<string, string | undefined> = {},
  messages: Record<string, unknown> = MESSAGES,
): Tree {
  const texts = {
    "functions/greeter/handler.ts": "",
    "serverless.yml": SERVERLESS,
    "configs/workflows.json": workflows({ step: "greet", agent: "greeter", input: { source: "source" } }),
    ...changes,
  };
  const present = Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return memoryTree(Object.fromEntries(present), { "schemas/messages/greeter.ts": messages });
}
