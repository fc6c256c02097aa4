import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** What the model does with one question. */
export type ScriptedAnswer =
  | {
      text: string;
      /** Tool calls after the text; chat completions only. */
      calls?: { name: string; input: object }[];
      /** Thought before the text, in a block of its own. */
      reasoning?: string;
      /** Why the answer ends; default: it is complete. */
      finish?: "stop" | "length" | "refusal";
      /** Of the answer's bytes: what happens in the middle of them. */
      middle?: "cut" | "end" | "stall" | "error";
      usage?: { input: number; cached?: number; output: number };
      /** Answers a question for a stream with the whole answer at once. */
      ignores_stream?: boolean;
    }
  | { status: number; headers?: Record<string, string>; body?: string };

export interface AskedQuestion {
  path: string;
  headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: the bodies of three protocols, as they came
  body: any;
  at: number;
}

type Spoken = Extract<ScriptedAnswer, { text: string }>;
type Protocol = "openai-compatible" | "anthropic" | "amazon-bedrock";

/**
 * A local server that speaks the wire protocols of chat completions, Anthropic's messages and Bedrock's Converse,
 * streaming and not. It gives the answers of a script in turn, the last one for ever, and keeps what it was asked.
 */
export async function modelServer(script: ScriptedAnswer[]) {
  const asked: AskedQuestion[] = [];
  const answers = [...script];
  let held: Promise<void> | undefined;
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const path = request.url ?? "";
    const question = { path, headers: request.headers, body: JSON.parse(text), at: Date.now() };
    asked.push(question);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    await held;
    if (answer) await give(answer, question, response);
    else response.writeHead(500).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    asked,
    /** Replaces what is left of the script. */
    answer: (...next: ScriptedAnswer[]) => void answers.splice(0, answers.length, ...next),
    /** Keeps every answer back until the function that it returns is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    origin,
    /** As `base_url` of configs/codegen.json. */
    base_url: (protocol: Protocol) => (protocol === "amazon-bedrock" ? origin : `${origin}/v1`),
    completions_url: `${origin}/v1/chat/completions`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function give(answer: ScriptedAnswer, question: AskedQuestion, response: ServerResponse) {
  if ("status" in answer) {
    const headers = { "content-type": "application/json", ...answer.headers };
    return void response.writeHead(answer.status, headers).end(answer.body ?? "");
  }
  const { path, body } = question;
  const streams = (body.stream === true || path.endsWith("-stream")) && !answer.ignores_stream;
  const protocol = protocolOf(path);
  const [type, parts] = streams ? STREAMS[protocol](answer) : ["application/json", [WHOLE[protocol](answer)]];
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  response.writeHead(200, { "content-type": type });
  if (!answer.middle) return void response.end(bytes);
  const half = streams
    ? Buffer.concat(parts.slice(0, Math.ceil(parts.length / 2)).map((p) => Buffer.from(p)))
    : bytes.subarray(0, bytes.length / 2);
  await new Promise((sent) => response.write(half, sent));
  if (answer.middle === "cut") response.destroy();
  if (answer.middle === "end") response.end();
  if (answer.middle === "error") response.end(`event: error\ndata: ${OVERLOADED}\n\n`);
}

const OVERLOADED = JSON.stringify({
  type: "error",
  error: { type: "overloaded_error", message: "Overloaded" },
});

function protocolOf(path: string): Protocol {
  if (path.includes("/chat/completions")) return "openai-compatible";
  return path.endsWith("/messages") ? "anthropic" : "amazon-bedrock";
}

const USAGE = { input: 100, output: 20 };
/** Cut into pieces, so that a stream has a middle. */
const pieces = (text: string) => text.match(/[\s\S]{1,40}/g) ?? [];
const events = (list: (object | string)[], named = false) =>
  list.map((event) => {
    const name = named ? `event: ${(event as { type: string }).type}\n` : "";
    return `${name}data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;
  });

const OPENAI_FINISH = { stop: "stop", length: "length", refusal: "content_filter" };
const ANTHROPIC_FINISH = { stop: "end_turn", length: "max_tokens", refusal: "refusal" };
const BEDROCK_FINISH = { stop: "end_turn", length: "max_tokens", refusal: "content_filtered" };

function openAiUsage({ usage = USAGE }: Spoken) {
  const { input, output, cached } = usage as { input: number; output: number; cached?: number };
  const details = cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } };
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, ...details };
}

function openAiCalls({ calls = [] }: Spoken) {
  return calls.map(({ name, input }, index) => {
    return { id: `call-${index}`, type: "function", function: { name, arguments: JSON.stringify(input) } };
  });
}

/** Anthropic and Bedrock count what came from the cache apart. */
function apart({ usage = USAGE }: Spoken) {
  const { input, output, cached = 0 } = usage as { input: number; output: number; cached?: number };
  return { input: input - cached, output, cached };
}

const WHOLE: Record<Protocol, (answer: Spoken) => string> = {
  "openai-compatible": (answer) =>
    JSON.stringify({
      id: "c1",
      object: "chat.completion",
      created: 1,
      model: "m",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: answer.text,
            ...(answer.reasoning && { reasoning_content: answer.reasoning }),
            ...(answer.calls && { tool_calls: openAiCalls(answer) }),
          },
          finish_reason: OPENAI_FINISH[answer.finish ?? "stop"],
        },
      ],
      usage: openAiUsage(answer),
    }),
  anthropic: (answer) => {
    const { input, output, cached } = apart(answer);
    return JSON.stringify({
      id: "m1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [
        ...(answer.reasoning ? [{ type: "thinking", thinking: answer.reasoning, signature: "s" }] : []),
        { type: "text", text: answer.text },
      ],
      stop_reason: ANTHROPIC_FINISH[answer.finish ?? "stop"],
      stop_sequence: null,
      usage: { input_tokens: input, output_tokens: output, cache_read_input_tokens: cached },
    });
  },
  "amazon-bedrock": (answer) => {
    const { input, output, cached } = apart(answer);
    return JSON.stringify({
      output: {
        message: {
          role: "assistant",
          content: [
            ...(answer.reasoning
              ? [{ reasoningContent: { reasoningText: { text: answer.reasoning, signature: "s" } } }]
              : []),
            { text: answer.text },
          ],
        },
      },
      stopReason: BEDROCK_FINISH[answer.finish ?? "stop"],
      usage: {
        inputTokens: input,
        outputTokens: output,
        totalTokens: input + output,
        cacheReadInputTokens: cached,
      },
    });
  },
};

const STREAMS: Record<Protocol, (answer: Spoken) => [string, (string | Buffer)[]]> = {
  "openai-compatible": (answer) => {
    const chunk = (delta: object, finish_reason: string | null = null) => ({
      id: "c1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta, finish_reason }],
    });
    const list = [
      chunk({ role: "assistant" }),
      ...pieces(answer.reasoning ?? "").map((text) => chunk({ reasoning_content: text })),
      ...pieces(answer.text).map((content) => chunk({ content })),
      ...openAiCalls(answer).map((call, index) => chunk({ tool_calls: [{ index, ...call }] })),
      chunk({}, OPENAI_FINISH[answer.finish ?? "stop"]),
      { ...chunk({}), choices: [], usage: openAiUsage(answer) },
      "[DONE]",
    ];
    return ["text/event-stream", events(list)];
  },
  anthropic: (answer) => {
    const { input, output, cached } = apart(answer);
    const thought = answer.reasoning
      ? [
          { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
          {
            type: "content_block_delta",
            index: 0,
            delta: { type: "thinking_delta", thinking: answer.reasoning },
          },
          { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "s" } },
          { type: "content_block_stop", index: 0 },
        ]
      : [];
    const index = thought.length > 0 ? 1 : 0;
    const list = [
      {
        type: "message_start",
        message: {
          id: "m1",
          type: "message",
          role: "assistant",
          model: "m",
          content: [],
          stop_reason: null,
          usage: { input_tokens: input, output_tokens: 1, cache_read_input_tokens: cached },
        },
      },
      ...thought,
      { type: "content_block_start", index, content_block: { type: "text", text: "" } },
      ...pieces(answer.text).map((text) => ({
        type: "content_block_delta",
        index,
        delta: { type: "text_delta", text },
      })),
      { type: "content_block_stop", index },
      {
        type: "message_delta",
        delta: { stop_reason: ANTHROPIC_FINISH[answer.finish ?? "stop"], stop_sequence: null },
        usage: { output_tokens: output },
      },
      { type: "message_stop" },
    ];
    return ["text/event-stream", events(list, true)];
  },
  "amazon-bedrock": (answer) => {
    const { input, output, cached } = apart(answer);
    const thought = answer.reasoning
      ? [
          frame("contentBlockDelta", {
            contentBlockIndex: 0,
            delta: { reasoningContent: { text: answer.reasoning } },
          }),
          frame("contentBlockStop", { contentBlockIndex: 0 }),
        ]
      : [];
    return [
      "application/vnd.amazon.eventstream",
      [
        frame("messageStart", { role: "assistant" }),
        ...thought,
        ...pieces(answer.text).map((text) =>
          frame("contentBlockDelta", { contentBlockIndex: 1, delta: { text } }),
        ),
        frame("contentBlockStop", { contentBlockIndex: 1 }),
        frame("messageStop", { stopReason: BEDROCK_FINISH[answer.finish ?? "stop"] }),
        frame("metadata", {
          usage: {
            inputTokens: input,
            outputTokens: output,
            totalTokens: input + output,
            cacheReadInputTokens: cached,
          },
          metrics: { latencyMs: 1 },
        }),
      ],
    ];
  },
};

/**
 * One message of the encoding `vnd.amazon.eventstream`:
 * https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
 */
function frame(event_type: string, payload: object): Buffer {
  const headers = Buffer.concat(
    Object.entries({
      ":event-type": event_type,
      ":content-type": "application/json",
      ":message-type": "event",
    }).map(([name, value]) => {
      const size = Buffer.alloc(2);
      size.writeUInt16BE(Buffer.byteLength(value));
      return Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7]),
        size,
        Buffer.from(value),
      ]);
    }),
  );
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + headers.length + body.length);
  prelude.writeUInt32BE(headers.length, 4);
  const checksum = (bytes: Buffer) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return sum;
  };
  const head = Buffer.concat([prelude, checksum(prelude), headers, body]);
  return Buffer.concat([head, checksum(head)]);
}
