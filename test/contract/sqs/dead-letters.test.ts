import {
  CancelMessageMoveTaskCommand,
  ListMessageMoveTasksCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import type { Queue, QueueWorld } from "../targets/worlds.ts";
import { sqs_differences } from "./differences.ts";
import { changeVisibility, counts, next, receive, receives, send } from "./queue-steps.ts";

const semantic = contract("sqs");

async function withDeadLetters(world: QueueWorld, maxReceiveCount: number) {
  const dead = await world.queue();
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
  return { dead, work: await world.queue({ RedrivePolicy }) };
}

/** Receives a message and shows it again, as often as it is told. */
async function fail(world: QueueWorld, queue: Queue, times: number) {
  const seen: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const message = await next(world, queue);
    seen.push(receives(message));
    await changeVisibility(world, queue, message, 0);
  }
  return seen;
}

describe("native redrive", () => {
  semantic("takes a message at the receive after its maxReceiveCount-th, with its body and attributes", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const { work, dead } = await withDeadLetters(world, 3);
      const MessageAttributes = { tenant: { DataType: "String", StringValue: "acme" } };
      const body = await send(world, work, { MessageAttributes });
      const receive_counts = await fail(world, work, 3);
      const fourth = (await receive(world, work)).length;
      const letter = await next(world, dead);
      return {
        receive_counts,
        fourth,
        body: letter.Body === body,
        tenant: letter.MessageAttributes?.tenant?.StringValue,
      };
    },
    aws: { receive_counts: [1, 2, 3], fourth: 0, body: true, tenant: "acme" },
  });

  semantic("keeps the message's id and the time it was sent, from which its retention counts", {
    relied_on_by: ["scripts/verify/queues-keep-messages.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const { work, dead } = await withDeadLetters(world, 1);
      await send(world, work);
      const before = await next(world, work);
      await world.elapse(1.5);
      await changeVisibility(world, work, before, 0);
      await receive(world, work);
      const after = await next(world, dead);
      return {
        id: after.MessageId === before.MessageId,
        sent: after.Attributes?.SentTimestamp === before.Attributes?.SentTimestamp,
      };
    },
    aws: { id: true, sent: true },
    differs: [sqs_differences.redriven_message],
  });

  semantic("takes 1 to 1,000 receives", {
    relied_on_by: ["lib/agents/agent/settle-failure.ts", "scripts/verify/retries-fit-queues.ts"],
    async observe(world) {
      const { work, dead } = await withDeadLetters(world, 1);
      const set = (maxReceiveCount: number) => {
        const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
        return outcome(
          world.sqs.send(
            new SetQueueAttributesCommand({ QueueUrl: work.url, Attributes: { RedrivePolicy } }),
          ),
        );
      };
      return [await set(0), await set(1000), await set(1001)];
    },
    aws: ["InvalidParameterValue", "done", "InvalidParameterValue"],
    differs: [sqs_differences.receives_bounds],
  });
});

describe("a move of messages out of a dead-letter queue", () => {
  const start = ({ sqs }: QueueWorld, SourceArn: string, DestinationArn?: string) =>
    sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  const moves = async ({ sqs }: QueueWorld, SourceArn: string, MaxResults = 1) =>
    (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults }))).Results ?? [];
  const ended = async (world: QueueWorld, arn: string) => {
    for (;;) {
      const [move] = await moves(world, arn);
      if (move && move.Status !== "RUNNING") return move;
      await world.elapse(0.2);
    }
  };

  semantic(
    "brings what is visible to the named queue, its receives counted anew, and leaves what is hidden",
    {
      relied_on_by: ["lib/agents/dlq/move-queue.ts"],
      async observe(world) {
        const { work, dead } = await withDeadLetters(world, 3);
        for (const MessageBody of ["a", "b", "c"]) await send(world, dead, { MessageBody });
        const { Body: hidden } = await next(world, dead, { VisibilityTimeout: 600 });
        await start(world, dead.arn, work.arn);
        const { Status, ApproximateNumberOfMessagesMoved } = await ended(world, dead.arn);
        const moved = [await next(world, work), await next(world, work)];
        return {
          Status,
          ApproximateNumberOfMessagesMoved,
          receives: moved.map(receives),
          all_seen: [hidden, ...moved.map(({ Body }) => Body)].sort().join(""),
          left: (await counts(world, dead)).in_flight,
        };
      },
      aws: {
        Status: "COMPLETED",
        ApproximateNumberOfMessagesMoved: 2,
        receives: [1, 1],
        all_seen: "abc",
        left: 1,
      },
      differs: [sqs_differences.simulated_moves, sqs_differences.moved_receives],
    },
  );

  semantic("makes new messages of them, with an id and a time of sending of their own", {
    relied_on_by: ["lib/agents/dlq/move-queue.ts", "scripts/verify/queues-keep-messages.ts"],
    async observe(world) {
      const { work, dead } = await withDeadLetters(world, 1);
      const MessageAttributes = { tenant: { DataType: "String", StringValue: "acme" } };
      await send(world, work, { MessageAttributes });
      const before = await next(world, work);
      await changeVisibility(world, work, before, 0);
      await receive(world, work);
      await world.elapse(1.5);
      await start(world, dead.arn);
      await ended(world, dead.arn);
      const after = await next(world, work);
      return {
        same_id: after.MessageId === before.MessageId,
        same_time: after.Attributes?.SentTimestamp === before.Attributes?.SentTimestamp,
        tenant: after.MessageAttributes?.tenant?.StringValue,
      };
    },
    aws: { same_id: false, same_time: false, tenant: "acme" },
    differs: [sqs_differences.simulated_moves, sqs_differences.moved_message],
  });

  semantic("is listed with the latest first", {
    relied_on_by: ["lib/agents/dlq/move-queue.ts"],
    async observe(world) {
      const { work, dead } = await withDeadLetters(world, 1);
      const moved: unknown[] = [];
      for (const count of [1, 2]) {
        for (let n = 0; n < count; n += 1) await send(world, dead);
        await start(world, dead.arn, work.arn);
        await ended(world, dead.arn);
      }
      const listed = await moves(world, dead.arn, 10);
      moved.push(...listed.map((move) => move.ApproximateNumberOfMessagesMoved));
      return { moved, of_one: (await moves(world, dead.arn))[0]?.ApproximateNumberOfMessagesMoved };
    },
    aws: { moved: [2, 1], of_one: 2 },
    differs: [sqs_differences.simulated_moves],
  });

  semantic("starts only from a queue that is somebody's dead-letter queue", {
    relied_on_by: ["lib/agents/dlq/move-queue.ts"],
    async observe(world) {
      const queue = await world.queue();
      return outcome(start(world, queue.arn));
    },
    aws: "InvalidParameterValue",
    differs: [sqs_differences.simulated_moves],
  });

  semantic("is listed empty where there was none, and cannot be canceled once it is over", {
    relied_on_by: ["lib/agents/dlq/move-queue.ts"],
    async observe(world) {
      const { dead, work } = await withDeadLetters(world, 1);
      const none = (await moves(world, dead.arn)).length;
      await send(world, dead);
      const { TaskHandle } = await start(world, dead.arn, work.arn);
      await ended(world, dead.arn);
      return {
        none,
        canceled:
          (await outcome(world.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle })))) === "done",
      };
    },
    aws: { none: 0, canceled: false },
    differs: [sqs_differences.simulated_moves, sqs_differences.late_cancel],
  });
});
