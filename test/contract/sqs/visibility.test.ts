import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand } from "@aws-sdk/client-sqs";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import { sqs_differences } from "./differences.ts";
import { changeVisibility, next, receive, receives, remove, send } from "./queue-steps.ts";

const semantic = contract("sqs");
const HOURS_12 = 43_200;

describe("a received message", () => {
  semantic(
    "is hidden for the visibility timeout and then comes again: same id, another receipt, one receive more",
    {
      relied_on_by: ["lib/agents/agent/settle-failure.ts", "local/event-source/poller.ts"],
      async observe(world) {
        const queue = await world.queue({ VisibilityTimeout: "2" });
        await send(world, queue);
        const first = await next(world, queue);
        const hidden = (await receive(world, queue)).length;
        const second = await next(world, queue);
        return {
          hidden,
          same_message: first.MessageId === second.MessageId,
          same_receipt: first.ReceiptHandle === second.ReceiptHandle,
          receives: [receives(first), receives(second)],
        };
      },
      aws: { hidden: 0, same_message: true, same_receipt: false, receives: [1, 2] },
    },
  );

  semantic("stays hidden for as long as its visibility is extended", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts"],
    async observe(world) {
      const queue = await world.queue({ VisibilityTimeout: "2" });
      await send(world, queue);
      await changeVisibility(world, queue, await next(world, queue), 60);
      await world.elapse(3);
      return (await receive(world, queue)).length;
    },
    aws: 0,
  });

  semantic("is visible at once with a visibility of 0, and the receive counts", {
    relied_on_by: ["lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue();
      await send(world, queue);
      await changeVisibility(world, queue, await next(world, queue), 0);
      return receives(await next(world, queue));
    },
    aws: 2,
  });

  semantic("can be hidden for 12 hours, and no longer", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts"],
    async observe(world) {
      const queue = await world.queue();
      await send(world, queue);
      const message = await next(world, queue);
      return [
        await outcome(changeVisibility(world, queue, message, HOURS_12 + 1)),
        await outcome(changeVisibility(world, queue, message, -1)),
        await outcome(changeVisibility(world, queue, message, HOURS_12 - 900)),
      ];
    },
    aws: ["InvalidParameterValue", "InvalidParameterValue", "done"],
    differs: [sqs_differences.visibility_bounds],
  });

  semantic("can be hidden for 12 hours in all: what it was held for already is taken off", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts"],
    async observe(world) {
      const queue = await world.queue();
      await send(world, queue);
      const message = await next(world, queue);
      await world.elapse(2);
      return outcome(changeVisibility(world, queue, message, HOURS_12));
    },
    aws: "InvalidParameterValue",
    differs: [sqs_differences.visibility_in_all],
  });

  semantic("that is visible again is in nobody's hands: changing its visibility is refused", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts"],
    async observe(world) {
      const queue = await world.queue({ VisibilityTimeout: "1" });
      await send(world, queue);
      const message = await next(world, queue);
      await world.elapse(2);
      const changed = await outcome(changeVisibility(world, queue, message, 60));
      return { changed, received_again: (await receive(world, queue)).map(receives) };
    },
    aws: { changed: "MessageNotInflight", received_again: [2] },
    differs: [sqs_differences.visible_again],
  });

  semantic("stays when it is deleted by the receipt of an earlier receive", {
    relied_on_by: ["local/event-source/sqs-source.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue({ VisibilityTimeout: "1" });
      await send(world, queue);
      const first = await next(world, queue);
      const second = await next(world, queue);
      const deleted = await outcome(remove(world, queue, first));
      await outcome(changeVisibility(world, queue, second, 0));
      return { deleted, left: (await receive(world, queue)).map(receives) };
    },
    aws: { deleted: "done", left: [3] },
    differs: [sqs_differences.stale_delete],
  });

  semantic("is gone once it is deleted, and deleting it again is done", {
    relied_on_by: ["local/event-source/sqs-source.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue({ VisibilityTimeout: "1" });
      await send(world, queue);
      const message = await next(world, queue);
      const deleted = [
        await outcome(remove(world, queue, message)),
        await outcome(remove(world, queue, message)),
      ];
      await world.elapse(2);
      return { deleted, left: (await receive(world, queue)).length };
    },
    aws: { deleted: ["done", "done"], left: 0 },
  });

  semantic("is not touched by a receipt that is none", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue();
      const none = { ReceiptHandle: "none" };
      return [
        await outcome(changeVisibility(world, queue, none, 1)),
        await outcome(remove(world, queue, none)),
      ];
    },
    aws: ["ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"],
    differs: [sqs_differences.receipts],
  });

  semantic("of a batch is deleted or shown by itself, and the answer names those that were not", {
    relied_on_by: ["local/event-source/sqs-source.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue();
      for (const MessageBody of ["a", "b"]) await send(world, queue, { MessageBody });
      const messages = [await next(world, queue), await next(world, queue)];
      const handles = [...messages.map(({ ReceiptHandle }) => ReceiptHandle), "none"];
      const QueueUrl = queue.url;
      const shown = await world.sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: handles.map((ReceiptHandle, n) => ({ Id: `${n}`, ReceiptHandle, VisibilityTimeout: 100 })),
        }),
      );
      const deleted = await world.sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: handles.map((ReceiptHandle, n) => ({ Id: `${n}`, ReceiptHandle })),
        }),
      );
      return [shown, deleted].map(({ Successful = [], Failed = [] }) => ({
        done: Successful.map(({ Id }) => Id).sort(),
        failed: Failed.map(({ Id, Code }) => `${Id} ${Code}`),
      }));
    },
    aws: [
      { done: ["0", "1"], failed: ["2 ReceiptHandleIsInvalid"] },
      { done: ["0", "1"], failed: ["2 ReceiptHandleIsInvalid"] },
    ],
    differs: [sqs_differences.batch_failures],
  });
});
