import type { SQSEvent } from "aws-lambda";
import { describe } from "vitest";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { startPoller } from "../../../local/event-source/poller.ts";
import { sqsSource } from "../../../local/event-source/sqs-source.ts";
import { contract } from "../contract.ts";
import { counts, send } from "./queue-steps.ts";

const semantic = contract("sqs");

describe("the event source mapping", () => {
  semantic("deletes what a batch finished and brings back what it names as failed, its receives counted", {
    relied_on_by: [
      "local/event-source/poller.ts",
      "local/event-source/sqs-source.ts",
      "lib/agents/agent/serve-queue.ts",
    ],
    async observe(world) {
      const queue = await world.queue({ VisibilityTimeout: "1" });
      for (const MessageBody of ["a", "b", "c"]) await send(world, queue, { MessageBody });
      const seen: string[] = [];
      let finish: () => void = () => undefined;
      const finished = new Promise<void>((resolve) => {
        finish = resolve;
      });
      const invoke = async ({ Records }: SQSEvent) => {
        seen.push(...Records.map(({ body, attributes }) => `${body}${attributes.ApproximateReceiveCount}`));
        const failed = Records.filter(
          ({ body, attributes }) => body === "b" && attributes.ApproximateReceiveCount === "1",
        );
        if (seen.includes("b2") && seen.length === 4) finish();
        return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      };
      const mapping = {
        function_key: "contract",
        queue_arn: queue.arn,
        batch_size: 10,
        batch_window_seconds: 0,
        concurrency: 1,
        reports_failures: true,
      };
      const source = sqsSource(world.sqs, queue.url);
      const poller = startPoller(mapping, { source, invoke, log: jsonLog({}, () => undefined) });
      await finished;
      await poller.stop(10_000);
      return { seen: seen.sort(), left: await counts(world, queue) };
    },
    aws: { seen: ["a1", "b1", "b2", "c1"], left: { visible: 0, in_flight: 0, delayed: 0 } },
  });
});
