import type { WriteInput } from "./dynamodb/table.ts";
import type { Mutation } from "./engine/mutation.ts";

/** A mutation with the invariants that may be the first to notice it. */
export interface KnownMutation extends Mutation {
  breaks: string[];
  /** Where to begin, for what shows in one of thousands of seeds only. */
  first_seed?: number;
}

const ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)";

/** Makes a part of a write's condition hold always; its names and values stay in use. */
function always(input: WriteInput, part: string): WriteInput {
  const { ConditionExpression } = input;
  if (!ConditionExpression?.includes(part)) return input;
  return { ...input, ConditionExpression: ConditionExpression.replace(part, `(${part} OR ${ALWAYS})`) };
}

const withoutCondition = (part: string) => ({ write: (input: WriteInput) => always(input, part) });

/** A claim is the write whose condition names the spent attempts. */
const claimsTakeAlways = (input: WriteInput): WriteInput =>
  input.ConditionExpression?.includes(":attempts_max")
    ? { ...input, ConditionExpression: `(${input.ConditionExpression}) OR ${ALWAYS}` }
    : input;

const conditions: KnownMutation[] = [
  {
    name: "writes of a step are not fenced",
    ...withoutCondition("#owner = :owner AND fence = :fence AND #status = :running"),
    breaks: [
      "no fenced worker writes",
      "an ended task's ledger rests",
      "an outcome never changes",
      "one effect a step round",
    ],
  },
  {
    name: "a task is written whatever its version",
    ...withoutCondition("version = :version"),
    breaks: ["one writer a version", "a sealed task rests", "a task ends once"],
  },
  {
    name: "a task is created over another one",
    write: (input, { sk }) => (sk === "TASK" ? always(input, "attribute_not_exists(pk)") : input),
    breaks: ["one writer a version", "a sealed task rests", "a key of another body is refused"],
  },
  {
    name: "a live lease is taken",
    ...withoutCondition("lease_expires_at < :now"),
    breaks: ["a live lease is not taken"],
  },
  {
    name: "a step that has ended is claimed again",
    write: claimsTakeAlways,
    breaks: ["an outcome never changes", "a live lease is not taken", "a step runs one input"],
  },
  {
    name: "a step is claimed with another input",
    ...withoutCondition("#source_hash = :source_hash"),
    breaks: ["a step runs one input"],
  },
];

const parking: KnownMutation[] = [
  {
    name: "parking counts as an attempt",
    write: (input) => {
      if (!input.UpdateExpression?.includes("parked_at = :parked_at")) return input;
      const values = input.ExpressionAttributeValues ?? {};
      const attempts = Number(values[":attempts"]) + 1;
      return { ...input, ExpressionAttributeValues: { ...values, ":attempts": attempts } };
    },
    breaks: ["parked work spends no attempt"],
  },
  {
    name: "what waits is claimed before its time",
    ...withoutCondition("retry_at <= :now"),
    breaks: ["what waits is run after its time"],
  },
];

const publishing: KnownMutation[] = [
  {
    name: "failures to send are ignored",
    sending: () => "failures ignored",
    breaks: ["publish before acknowledge", "given up means in the DLQ", "poison ends in a DLQ"],
  },
  {
    name: "messages are acknowledged before the next one is sent",
    sending: () => "answered first",
    breaks: ["publish before acknowledge", "poison ends in a DLQ", "given up means in the DLQ"],
  },
  {
    name: "dead letters are not sent",
    sending: (queue) => (queue.endsWith("-dlq") ? "dropped" : "as it is"),
    breaks: ["poison ends in a DLQ"],
  },
  {
    name: "dead letters have no failure record",
    write: (input, { pk }) => (pk.startsWith("FAILURE#") ? null : input),
    breaks: ["every dead letter has its failure record"],
  },
  {
    name: "messages lose their trace",
    body: (body) => body.replace(/"traceparent":"[^"]*"/, '"traceparent":""'),
    breaks: ["every message is an envelope"],
  },
  {
    name: "partial batch responses are ignored",
    acknowledge: "always",
    breaks: [
      "publish before acknowledge",
      "a message is kept until its step ended",
      "given up means in the DLQ",
    ],
  },
];

const tasks: KnownMutation[] = [
  { name: "the sweeper is off", sweeper: "off", breaks: ["every accepted task ends"] },
  {
    name: "a stopped task's step is not fenced out",
    claims: (claims) => ({ ...claims, cancel: async () => true }),
    breaks: ["an ended task has no open step", "an ended task's ledger rests"],
  },
  {
    name: "a task is sealed before its artifacts stand",
    layout: "skipped",
    breaks: ["ended implies artifacts readable", "the latest round's artifacts stand"],
  },
  {
    name: "a report's meta file is written first",
    layout: "marked first",
    breaks: ["a report's meta file comes last"],
  },
  {
    name: "failures to upload are ignored",
    uploads: "failures ignored",
    breaks: [
      "every accepted task ends",
      "ended implies artifacts readable",
      "artifacts equal the manifest",
      "a report's meta file comes last",
    ],
  },
  {
    name: "a ledger is read steps first",
    first_seed: 13_900,
    query: ({ ScanIndexForward: _, ...input }) => input,
    breaks: [
      "artifacts equal the manifest",
      "ended implies artifacts readable",
      "an ended task has no open step",
    ],
  },
];

const webhooks: KnownMutation[] = [
  {
    name: "no delivery is swept",
    query: (input) => {
      const { ":partition": partition } = input.ExpressionAttributeValues ?? {};
      if (!String(partition).startsWith("OPEN_DELIVERIES#")) return input;
      return {
        ...input,
        ExpressionAttributeValues: { ...input.ExpressionAttributeValues, ":partition": "-" },
      };
    },
    breaks: ["every end is told"],
  },
  {
    name: "a delivery is written over another one",
    write: (input, { sk }) =>
      sk.startsWith("DELIVERY#") ? always(input, "attribute_not_exists(pk)") : input,
    breaks: [
      "fences grow",
      "an outcome never changes",
      "a live lease is not taken",
      "no fenced worker writes",
    ],
  },
];

const answers: KnownMutation[] = [
  {
    name: "answers of models are not stored",
    write: (input, { pk }) =>
      pk.startsWith("IDEMPOTENCY#model_answers") && input.UpdateExpression?.includes("response")
        ? null
        : input,
    breaks: ["no answer is paid for twice"],
  },
];

/** Every protection the simulation must miss when it is gone. */
export const mutations: KnownMutation[] = [
  ...conditions,
  ...parking,
  ...publishing,
  ...tasks,
  ...webhooks,
  ...answers,
];
