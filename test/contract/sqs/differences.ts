import type { Difference } from "../difference.ts";

const GUIDE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide";
const REFERENCE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference";

export const sqs_differences = {
  order: {
    behaviour: "The order of messages",
    aws: "is that of sending at best",
    page: `${GUIDE}/standard-queues.html`,
    targets: {
      embedded: { does: "is that of sending", observed: "as sent" },
      localstack: { does: "is that of sending", observed: "as sent" },
    },
    not_leaned_on: "A message carries no state and the ledger decides; the simulation delivers in any order.",
    bridged_in: "test/simulation/sqs/queue.ts",
  },
  exact_counts: {
    behaviour: "When a queue's counts show what was sent and received",
    aws: "within a minute or so: they are approximate",
    page: `${REFERENCE}/API_GetQueueAttributes.html`,
    targets: {
      embedded: { does: "at once", observed: "at once" },
      localstack: { does: "at once", observed: "at once" },
    },
    not_leaned_on: "They are shown to people; nothing is decided by them.",
  },
  visibility_in_all: {
    behaviour: "A visibility of 12 hours for a message that was held for some time already",
    aws: "is refused: 12 hours count from the receive",
    page: `${REFERENCE}/API_ChangeMessageVisibility.html`,
    targets: {
      embedded: { does: "is taken", observed: "done" },
      localstack: { does: "is taken", observed: "done" },
      simulation: { does: "is taken", observed: "done" },
    },
    not_leaned_on: "A message is given back for 12 hours less the longest a function may have held it.",
    bridged_in: "lib/agents/agent/settle-failure.ts",
  },
  visibility_bounds: {
    behaviour: "A visibility below 0 or over 12 hours",
    aws: "is refused",
    page: `${REFERENCE}/API_ChangeMessageVisibility.html`,
    targets: {
      localstack: { does: "is taken", observed: ["done", "done", "done"] },
      simulation: { does: "is taken", observed: ["done", "done", "Error"] },
    },
    not_leaned_on: "The code keeps to 1 s and 12 h less the longest a function may have held the message.",
    bridged_in: "lib/agents/agent/settle-failure.ts",
  },
  visible_again: {
    behaviour: "Changing the visibility of a message that is visible again",
    aws: "is refused as `MessageNotInflight`",
    page: `${REFERENCE}/API_ChangeMessageVisibility.html`,
    targets: {
      localstack: {
        does: "is answered with success and changes nothing",
        observed: { changed: "done", received_again: [2] },
      },
      simulation: {
        does: "is refused by an error without its name",
        observed: { changed: "Error", received_again: [2] },
      },
    },
    not_leaned_on:
      "Whether it is refused or not, the message comes again by itself; the claim keeps it from doubling.",
    bridged_in: "lib/resilience/idempotency/claim.ts",
  },
  stale_delete: {
    behaviour: "Deleting a message by the receipt of an earlier receive",
    aws: "answers success and may leave the message",
    page: `${REFERENCE}/API_DeleteMessage.html`,
    targets: { localstack: { does: "deletes it", observed: { deleted: "done", left: [] } } },
    not_leaned_on: "Who deletes has made the outcome durable before, so either is right.",
    bridged_in: "lib/agents/agent/define-agent.ts",
  },
  receipts: {
    behaviour: "A receipt that is none",
    aws: "is refused as `ReceiptHandleIsInvalid`",
    page: `${REFERENCE}/API_DeleteMessage.html`,
    targets: {
      simulation: {
        does: "is refused by an error without its name, or ignored by a delete",
        observed: ["Error", "done"],
      },
    },
    not_leaned_on: "Receipts come from receives only; no code looks at the name of the error.",
  },
  batch_failures: {
    behaviour: "A receipt that is none, in a batch of deletes",
    aws: "is listed under `Failed`",
    page: `${REFERENCE}/API_DeleteMessageBatch.html`,
    targets: {
      embedded: {
        does: "is listed under `Successful`",
        observed: [
          { done: ["0", "1"], failed: ["2 ReceiptHandleIsInvalid"] },
          { done: ["0", "1", "2"], failed: [] },
        ],
      },
      simulation: {
        does: "is listed under `Successful`, and a batch of visibilities lists nothing",
        observed: [
          { done: [], failed: [] },
          { done: ["0", "1", "2"], failed: [] },
        ],
      },
    },
    not_leaned_on: "The event source, which on AWS is Lambda's, treats what failed as not deleted.",
    bridged_in: "local/event-source/sqs-source.ts",
  },
  trace_header: {
    behaviour: "The X-Ray header of a message (`AWSTraceHeader`)",
    aws: "comes with the message",
    page: `${GUIDE}/sqs-message-metadata.html#sqs-message-system-attributes`,
    targets: {
      embedded: { does: "is dropped", observed: undefined },
      simulation: { does: "is dropped", observed: undefined },
    },
    not_leaned_on: "Traces travel as W3C `traceparent` in the envelope.",
    bridged_in: "lib/platform/messages/envelope.ts",
  },
  message_group: {
    behaviour: "`MessageGroupId` on a standard queue",
    aws: "comes with the message, and queues are fair by it",
    page: `${GUIDE}/sqs-fair-queues.html`,
    targets: {
      simulation: {
        does: "is dropped",
        observed: [
          ["a", undefined],
          ["b", undefined],
        ],
      },
    },
    not_leaned_on: "It only changes who waits for whom; the tenant itself is in the envelope.",
    bridged_in: "lib/platform/messages/send-envelope.ts",
  },
  empty_attribute: {
    behaviour: "An empty message attribute",
    aws: "is refused",
    page: `${GUIDE}/sqs-message-metadata.html#sqs-message-attributes`,
    targets: { simulation: { does: "is taken", observed: "done" } },
    not_leaned_on:
      "An empty `tracestate` is left out; the other attributes are never empty by their schemas.",
    bridged_in: "lib/platform/messages/send-envelope.ts",
  },
  delay_bounds: {
    behaviour: "A delay over 15 minutes",
    aws: "is refused",
    page: `${REFERENCE}/API_SendMessage.html`,
    targets: {
      localstack: { does: "is taken", observed: { early: 0, longest: "done", too_long: "done" } },
      simulation: { does: "ends the simulation as a mistake in the code", observed: { throws: "TypeError" } },
    },
    not_leaned_on: "Whoever waits longer is forwarded again.",
    bridged_in: "lib/platform/messages/send-message.ts",
  },
  message_bytes: {
    behaviour: "Messages over 1 MiB",
    aws: "are refused",
    page: `${GUIDE}/quotas-messages.html`,
    targets: {
      simulation: {
        does: "are taken",
        observed: {
          over_256_KiB: "done",
          at_1_MiB: "done",
          over_1_MiB: "done",
          over_with_attributes: "done",
        },
      },
    },
    not_leaned_on: "A payload over 200,000 bytes travels by claim check.",
    bridged_in: "lib/platform/messages/send-envelope.ts",
  },
  message_characters: {
    behaviour: "Characters that XML 1.0 lacks",
    aws: "are refused as `InvalidMessageContents`",
    page: `${REFERENCE}/API_SendMessage.html`,
    targets: {
      simulation: {
        does: "are taken",
        observed: { escaped: "done", control: "done", not_a_character: "done" },
      },
    },
    not_leaned_on: "An envelope is JSON, in which they are escaped.",
    bridged_in: "lib/platform/messages/send-envelope.ts",
  },
  receive_bounds: {
    behaviour: "Receiving more than ten messages",
    aws: "is refused",
    page: `${REFERENCE}/API_ReceiveMessage.html`,
    targets: { simulation: { does: "is answered with as many as there are", observed: "done" } },
    not_leaned_on: "The event source's batches come from serverless.yml; readers of a DLQ take ten.",
    bridged_in: "lib/agents/dlq/dead-letter-queue.ts",
  },
  redriven_message: {
    behaviour: "A message that native redrive moved",
    aws: "keeps its id and the time it was sent",
    page: `${GUIDE}/sqs-dead-letter-queues.html`,
    targets: { simulation: { does: "is a new message", observed: { id: false, sent: false } } },
    not_leaned_on:
      "Dead letters are told apart by what is in the envelope; retention is checked in serverless.yml.",
    bridged_in: "scripts/verify/queues-keep-messages.ts",
  },
  receives_bounds: {
    behaviour: "`maxReceiveCount` outside of 1 to 1,000",
    aws: "is refused",
    page: `${REFERENCE}/API_SetQueueAttributes.html`,
    targets: {
      simulation: {
        does: "not modelled: queues are made from serverless.yml",
        observed: { throws: "TypeError" },
      },
    },
    not_leaned_on: "It is 20 everywhere, and compared with the retry policy by the check.",
    bridged_in: "scripts/verify/retries-fit-queues.ts",
  },
  simulated_moves: {
    behaviour: "Moves out of a dead-letter queue",
    aws: "`StartMessageMoveTask`, in the background",
    page: `${REFERENCE}/API_StartMessageMoveTask.html`,
    targets: {
      simulation: {
        does: "not modelled: the command is refused as a mistake in the test",
        observed: { throws: "TypeError" },
      },
    },
    not_leaned_on: "Replay is an operator's command, which no handler under simulation gives.",
  },
  moved_receives: {
    behaviour: "The receives of a message that a move brought back",
    aws: "count anew: it is a new message",
    page: `${GUIDE}/sqs-configure-dead-letter-queue-redrive.html`,
    targets: {
      localstack: {
        does: "go on, the move itself counted",
        observed: {
          Status: "COMPLETED",
          ApproximateNumberOfMessagesMoved: 2,
          receives: [2, 2],
          all_seen: "abc",
          left: 1,
        },
      },
    },
    not_leaned_on:
      "Attempts are counted in the ledger. There, a message that had used up its receives goes back to the DLQ, where it can be replayed one by one, as a new message.",
    bridged_in: "lib/agents/dlq/replay-message.ts",
  },
  moved_message: {
    behaviour: "A message that a move brought back",
    aws: "has a new id and time of sending",
    page: `${GUIDE}/sqs-configure-dead-letter-queue-redrive.html`,
    targets: {
      localstack: { does: "keeps both", observed: { same_id: true, same_time: true, tenant: "acme" } },
    },
    not_leaned_on:
      "A failure that only the queue knows of is named by SQS's own message id. A record that a move settled does not count when the id comes back.",
    bridged_in: "lib/agents/dlq/sweep-dead-letters.ts",
  },
  late_cancel: {
    behaviour: "Canceling a move that is over",
    aws: "is refused",
    page: `${REFERENCE}/API_CancelMessageMoveTask.html`,
    targets: { localstack: { does: "is answered with success", observed: { none: 0, canceled: true } } },
    not_leaned_on: "Nothing cancels a move.",
  },
} satisfies Record<string, Difference>;
