import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import { sqs_differences } from "./differences.ts";
import { counts, next, receive, send } from "./queue-steps.ts";

const semantic = contract("sqs");
const KIB = 1024;

describe("a message", () => {
  semantic("carries its body and attributes, and when it was sent and first received", {
    relied_on_by: [
      "lib/platform/messages/send-envelope.ts",
      "local/event-source/sqs-event.ts",
      "lib/agents/dlq/dead-letter-queue.ts",
    ],
    async observe(world) {
      const queue = await world.queue();
      const text = (StringValue: string) => ({ DataType: "String", StringValue });
      const MessageBody = JSON.stringify({ text: 'ü "quoted" <&> \u{1f600}\n' });
      const MessageAttributes = { traceparent: text("00-1-2-01"), task_id: text("task_1") };
      await send(world, queue, { MessageBody, MessageAttributes });
      const message = await next(world, queue);
      return {
        body: message.Body === MessageBody,
        attributes: Object.fromEntries(
          Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue }]) => [
            name,
            `${DataType} ${StringValue}`,
          ]),
        ),
        times: ["SentTimestamp", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount"].filter(
          (name) => name in (message.Attributes ?? {}),
        ),
      };
    },
    aws: {
      body: true,
      attributes: { traceparent: "String 00-1-2-01", task_id: "String task_1" },
      times: ["SentTimestamp", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount"],
    },
  });

  semantic("takes no empty attribute", {
    relied_on_by: ["lib/platform/messages/send-envelope.ts", "lib/agents/dlq/failure-store.ts"],
    async observe(world) {
      const queue = await world.queue();
      const MessageAttributes = { tracestate: { DataType: "String", StringValue: "" } };
      return outcome(send(world, queue, { MessageAttributes }));
    },
    aws: "InvalidParameterValue",
    differs: [sqs_differences.empty_attribute],
  });

  semantic("on a standard queue keeps its group, by which fair queues share", {
    relied_on_by: ["lib/platform/messages/send-envelope.ts"],
    async observe(world) {
      const queue = await world.queue();
      await send(world, queue, { MessageBody: "a", MessageGroupId: "tenant-a" });
      const { Attributes, Body } = await next(world, queue);
      await send(world, queue, { MessageBody: "b" });
      const other = await next(world, queue);
      return [
        [Body, Attributes?.MessageGroupId],
        [other.Body, other.Attributes?.MessageGroupId],
      ];
    },
    aws: [
      ["a", "tenant-a"],
      ["b", undefined],
    ],
    differs: [sqs_differences.message_group],
  });

  semantic("hands its X-Ray header on to whoever receives it", {
    relied_on_by: ["local/event-source/sqs-event.ts"],
    async observe(world) {
      const queue = await world.queue();
      const AWSTraceHeader = { DataType: "String", StringValue: "Root=1-67891233-abcdef012345678912345678" };
      await send(world, queue, { MessageSystemAttributes: { AWSTraceHeader } });
      return (await next(world, queue)).Attributes?.AWSTraceHeader;
    },
    aws: "Root=1-67891233-abcdef012345678912345678",
    differs: [sqs_differences.trace_header],
  });

  semantic("that is delayed comes no earlier, and by 15 minutes at most", {
    relied_on_by: ["lib/platform/messages/send-message.ts", "lib/platform/messages/send-envelope.ts"],
    async observe(world) {
      const queue = await world.queue();
      await send(world, queue, { DelaySeconds: 2 });
      const early = (await receive(world, queue)).length;
      await next(world, queue);
      return {
        early,
        longest: await outcome(send(world, queue, { DelaySeconds: 900 })),
        too_long: await outcome(send(world, queue, { DelaySeconds: 901 })),
      };
    },
    aws: { early: 0, longest: "done", too_long: "InvalidParameterValue" },
    differs: [sqs_differences.delay_bounds],
  });

  semantic("has room for 200,000 bytes and its attributes", {
    relied_on_by: [
      "lib/platform/messages/send-envelope.ts",
      "lib/agents/dlq/failure-store.ts",
      "lib/agents/dlq/replay-message.ts",
    ],
    async observe(world) {
      const queue = await world.queue();
      await send(world, queue, { MessageBody: "ü".repeat(128 * KIB) });
      return (await next(world, queue)).Body?.length;
    },
    aws: 128 * KIB,
  });

  semantic("has 1 MiB at most, its attributes counted", {
    relied_on_by: ["lib/platform/messages/send-envelope.ts"],
    async observe(world) {
      const queue = await world.queue();
      const tried = (MessageBody: string, more: object = {}) =>
        outcome(send(world, queue, { MessageBody, ...more }));
      const attribute = { a: { DataType: "String", StringValue: "v" } };
      return {
        over_256_KiB: await tried("m".repeat(256 * KIB + 1)),
        at_1_MiB: await tried("m".repeat(1024 * KIB)),
        over_1_MiB: await tried("m".repeat(1024 * KIB + 1)),
        over_with_attributes: await tried("m".repeat(1024 * KIB), { MessageAttributes: attribute }),
      };
    },
    aws: {
      over_256_KiB: "done",
      at_1_MiB: "done",
      over_1_MiB: "InvalidParameterValue",
      over_with_attributes: "InvalidParameterValue",
    },
    differs: [sqs_differences.message_bytes],
  });

  semantic("is Unicode that XML 1.0 has too: anything else is refused", {
    relied_on_by: ["lib/platform/messages/send-envelope.ts", "lib/agents/dlq/failure-store.ts"],
    async observe(world) {
      const queue = await world.queue();
      const tried = (MessageBody: string) => outcome(send(world, queue, { MessageBody }));
      return {
        escaped: await tried(JSON.stringify("\u0000\u001b\ud800")),
        control: await tried("\u0001"),
        not_a_character: await tried("\uffff"),
      };
    },
    aws: { escaped: "done", control: "InvalidMessageContents", not_a_character: "InvalidMessageContents" },
    differs: [sqs_differences.message_characters],
  });
});

describe("a queue", () => {
  semantic("gives ten messages at most in one receive", {
    relied_on_by: ["local/event-source/sqs-source.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue();
      return outcome(receive(world, queue, { MaxNumberOfMessages: 11 }));
    },
    aws: "InvalidParameterValue",
    differs: [sqs_differences.receive_bounds],
  });

  semantic("answers a long poll when a message comes, or empty after its time", {
    relied_on_by: ["local/event-source/sqs-source.ts", "lib/agents/dlq/dead-letter-queue.ts"],
    async observe(world) {
      const queue = await world.queue();
      const empty = await receive(world, queue, { WaitTimeSeconds: 1 });
      const polled = receive(world, queue, { WaitTimeSeconds: 20 });
      const body = await send(world, queue);
      return { empty: empty.length, came: (await polled)[0]?.Body === body };
    },
    aws: { empty: 0, came: true },
  });

  semantic("loses nothing to a long poll that was broken off", {
    relied_on_by: ["local/event-source/poller.ts"],
    async observe(world) {
      const queue = await world.queue({ VisibilityTimeout: "1" });
      const gone = new AbortController();
      const polled = world.sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 20 }), {
        abortSignal: gone.signal,
      });
      const broken = outcome(polled);
      await world.elapse(0.5);
      gone.abort();
      await broken;
      const body = await send(world, queue);
      return (await next(world, queue)).Body === body;
    },
    aws: true,
  });

  semantic("counts what waits, what is in flight and what is delayed, if only within a minute", {
    relied_on_by: [
      "functions/gateway/status-routes.ts",
      "lib/work/observation/read-backlog.ts",
      "scripts/chaos/operator.ts",
    ],
    async observe(world) {
      const queue = await world.queue();
      for (const MessageBody of ["a", "b", "c"]) await send(world, queue, { MessageBody });
      await send(world, queue, { DelaySeconds: 100 });
      await next(world, queue);
      const counted = Object.values(await counts(world, queue)).join();
      return counted === "2,1,1" ? "at once" : "later";
    },
    aws: "later",
    differs: [sqs_differences.exact_counts],
  });

  semantic("may give messages in another order than they were sent in", {
    relied_on_by: ["functions/orchestrator/advance.ts"],
    async observe(world) {
      const queue = await world.queue();
      const sent = Array.from({ length: 20 }, (_, n) => `${n}`);
      for (const MessageBody of sent) await send(world, queue, { MessageBody });
      const got: (string | undefined)[] = [];
      while (got.length < sent.length) got.push(...(await receive(world, queue)).map(({ Body }) => Body));
      return got.join() === sent.join() ? "as sent" : "another";
    },
    aws: "another",
    differs: [sqs_differences.order],
  });
});
