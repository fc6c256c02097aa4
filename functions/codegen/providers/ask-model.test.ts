import { afterEach, describe, expect, it } from "vitest";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import { type FailureFacts, failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import { MODEL_KEY, modelChoice } from "#test/fakes/model-choice.ts";
import { modelServer, type ScriptedAnswer } from "#test/fakes/model-server.ts";
import { askModel } from "./ask-model.ts";
import { unusable } from "./model-faults.ts";
import type { Exchange } from "./watched-fetch.ts";

const PROTOCOLS = ["openai-compatible", "anthropic", "amazon-bedrock"] as const;
const EVERY = PROTOCOLS.flatMap((protocol) => [true, false].map((stream) => ({ protocol, stream })));

let server: Awaited<ReturnType<typeof modelServer>>;
afterEach(() => server?.close());

interface Asking {
  protocol?: (typeof PROTOCOLS)[number];
  stream?: boolean;
  settings?: Partial<ModelChoice>;
  signal?: AbortSignal;
}

async function ask(script: ScriptedAnswer[], asking: Asking = {}) {
  const { protocol = "openai-compatible", stream = true, signal = new AbortController().signal } = asking;
  server = await modelServer(script);
  const region = protocol === "amazon-bedrock" ? { region: "us-east-1" } : {};
  const common = { provider: protocol, stream, base_url: server.base_url(protocol), ...region };
  const choice = modelChoice({ model: { ...common, ...asking.settings } });
  const exchange: Exchange = { url: "", request: "", answer: "" };
  const question = {
    instructions: "Do as you are told.",
    messages: [{ role: "user" as const, text: "Change it." }],
  };
  const answer = await askModel(question, choice, exchange, signal)
    .then((arrived) => unusable(arrived, choice) ?? arrived)
    .catch((error: unknown) => error);
  return { answer, exchange, asked: server.asked };
}

const faultOf = async (script: ScriptedAnswer[], asking: Asking = {}): Promise<Fault> => {
  const { answer } = await ask(script, asking);
  if (!(answer instanceof Fault))
    throw new Error(`no fault but ${String((answer as Error).stack ?? JSON.stringify(answer))}`);
  return answer;
};

describe.each(EVERY)("a question by $protocol, stream: $stream", ({ protocol, stream }) => {
  it("is answered with text and tokens, whatever was thought before", async () => {
    const usage = { input: 120, cached: 50, output: 33 };
    const text = "The answer — in ünicode, long enough to come in several pieces of the stream, 😀.";
    const { answer, asked, exchange } = await ask([{ text, reasoning: "Let me think.", usage }], {
      protocol,
      stream,
    });
    expect(answer).toEqual({
      text,
      calls: [],
      finish: "complete",
      usage: { input_tokens: 120, cached_input_tokens: 50, output_tokens: 33 },
    });
    expect(asked).toHaveLength(1);
    expect(JSON.stringify(asked[0]?.body)).toContain("Do as you are told.");
    expect(JSON.stringify(asked[0]?.headers)).toContain(MODEL_KEY);
    expect(exchange.request).toContain("Change it.");
    expect(exchange.request).not.toContain(MODEL_KEY);
    expect(exchange.answer.length).toBeGreaterThan(50);
  });

  it.each([
    [400, "MODEL_REFUSED"],
    [401, "MODEL_CREDENTIALS_REFUSED"],
    [403, "MODEL_CREDENTIALS_REFUSED"],
    [404, "MODEL_NOT_FOUND"],
    [422, "MODEL_REFUSED"],
  ])("is refused for good with %i, and the endpoint's own words, without the key", async (status, code) => {
    const body = JSON.stringify({
      type: "error",
      error: { type: "x", message: `no ${MODEL_KEY} here` },
      message: `no ${MODEL_KEY} here`,
    });
    const fault = await faultOf([{ status, body }], { protocol, stream });
    expect(fault).toMatchObject({ code, disposition: "terminal" });
    expect(fault.message).toContain("no [redacted] here");
    expect(server.asked).toHaveLength(1);
  });

  it("is throttled by 429 for as long as Retry-After says", async () => {
    const fault = await faultOf([{ status: 429, headers: { "retry-after": "7" } }], { protocol, stream });
    expect(fault).toMatchObject({ code: "MODEL_THROTTLED", disposition: "throttle", retry_after_ms: 7000 });
    expect(server.asked).toHaveLength(1);
  });

  it("is throttled by 529, by a code of its own", async () => {
    const fault = await faultOf([{ status: 529, body: "{}" }], { protocol, stream });
    expect(fault).toMatchObject({ code: "MODEL_OVERLOADED", disposition: "throttle" });
    expect(server.asked).toHaveLength(1);
  });

  it("is asked again after 500, 503 and 408, by the retry policy and nobody else", async () => {
    for (const status of [500, 503, 408]) {
      const fault = await faultOf([{ status, body: '{"message":"down"}' }], { protocol, stream });
      expect(fault).toMatchObject({ code: "MODEL_UNAVAILABLE", disposition: "retry" });
      expect(fault.message).toContain("down");
      expect(server.asked).toHaveLength(1);
      await server.close();
    }
    server = await modelServer([]);
  });

  it("is asked again when the connection is cut in the middle of the answer", async () => {
    const fault = await faultOf([{ text: "x".repeat(400), middle: "cut" }], { protocol, stream });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_CUT", disposition: "retry", dependency: "model" });
    expect(server.asked).toHaveLength(1);
  });

  it("is asked again when no byte comes for stall_seconds_max", async () => {
    const settings = { stall_seconds_max: 0.3, answer_seconds_max: 60 };
    const fault = await faultOf([{ text: "x".repeat(400), middle: "stall" }], { protocol, stream, settings });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_STALLED", disposition: "retry" });
    expect(fault.message).toContain("0.3 s (stall_seconds_max)");
  });

  it("is asked again when the answer takes longer than answer_seconds_max", async () => {
    const settings = { stall_seconds_max: 60, answer_seconds_max: 0.4 };
    const fault = await faultOf([{ text: "x".repeat(400), middle: "stall" }], { protocol, stream, settings });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_LATE", disposition: "retry" });
  });

  it("fails by a code of its own when the answer ends at the limit of its tokens", async () => {
    const fault = await faultOf([{ text: "half of an ed", finish: "length" }], { protocol, stream });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_TRUNCATED", disposition: "reject" });
    expect(fault.message).toContain("output_tokens_max (8192 tokens)");
  });

  it("fails by a code of its own when the model declines", async () => {
    const fault = await faultOf([{ text: "I will not.", finish: "refusal" }], { protocol, stream });
    expect(fault).toMatchObject({ code: "MODEL_DECLINED", disposition: "reject" });
  });

  it.each([
    ["a web page", "text/html", "<html><body>Welcome to nginx</body></html>"],
    ["JSON of something else", "application/json", '{"hello":"world"}'],
    ["an empty body", "application/json", ""],
  ])("fails for good on status 200 with %s", async (_, type, body) => {
    const fault = await faultOf([{ status: 200, headers: { "content-type": type }, body }], {
      protocol,
      stream,
    });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_MALFORMED", disposition: "terminal" });
    expect(fault.message).toContain("base_url");
    expect(fault.message).toContain(body.slice(0, 5).replaceAll('"', '\\"'));
  });

  it("is not followed to another host with its key", async () => {
    const other = await modelServer([{ text: "stolen" }]);
    const location = `${other.origin}/v1/chat/completions`;
    const fault = await faultOf([{ status: 307, headers: { location } }], { protocol, stream });
    expect(fault).toMatchObject({ code: "MODEL_REFUSED", disposition: "terminal" });
    expect(fault.message).toContain("307");
    expect(other.asked).toEqual([]);
    await other.close();
  });

  it("ends with the reason when the step is canceled", async () => {
    const stop = new AbortController();
    const reason = new Error("the lease is lost");
    const asking = ask([{ text: "x".repeat(400), middle: "stall" }], {
      protocol,
      stream,
      signal: stop.signal,
    });
    await expect.poll(() => server?.asked.length, { timeout: 20_000 }).toBe(1);
    stop.abort(reason);
    expect((await asking).answer).toBe(reason);
  });
});

describe.each(PROTOCOLS)("a stream of %s", (protocol) => {
  it("that ends without saying why was cut, although the connection was closed in order", async () => {
    const fault = await faultOf([{ text: "x".repeat(400), middle: "end" }], { protocol });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_CUT", disposition: "retry" });
  });

  it("that is none names the setting", async () => {
    const fault = await faultOf([{ text: "hello", ignores_stream: true }], { protocol });
    expect(fault).toMatchObject({ code: "MODEL_ANSWER_MALFORMED" });
    expect(fault.message).toContain("set `stream` to false");
  });
});

describe("a question to a model", () => {
  it.each(["openai-compatible", "anthropic"] as const)(
    "is throttled when %s says in mid-stream that it is overloaded",
    async (protocol) => {
      const fault = await faultOf([{ text: "x".repeat(400), middle: "error" }], { protocol });
      expect(fault).toMatchObject({ code: "MODEL_OVERLOADED", disposition: "throttle" });
    },
  );

  it.each([
    [429, { "retry-after": "3600" }, 3600],
    [429, { "x-ratelimit-reset-requests": "1h0m0s", "x-ratelimit-remaining-requests": "0" }, 3600],
    [402, { "x-ratelimit-reset": "30" }, 30],
    [403, { "retry-after": "120" }, 120],
  ])(
    "is parked when the endpoint says until when its quota is spent: %i",
    async (status, headers, seconds) => {
      const began = Date.now();
      const fault = await faultOf([{ status, headers: headers as never }]);
      expect(fault).toMatchObject({ code: "MODEL_QUOTA_SPENT", disposition: "park", dependency: "model" });
      expect(fault.retry_at_ms).toBeGreaterThanOrEqual(began + seconds * 1000);
      expect(fault.retry_at_ms).toBeLessThanOrEqual(Date.now() + seconds * 1000);
    },
  );

  it("is asked again when nothing listens", async () => {
    const settings = { base_url: "http://127.0.0.1:9/v1" };
    expect(await faultOf([], { settings })).toMatchObject({
      code: "MODEL_UNAVAILABLE",
      disposition: "retry",
    });
  });

  it("goes to the whole URL where there is one", async () => {
    const there = await modelServer([{ text: "there" }]);
    const endpoint = `${there.origin}/some/where/chat/completions?a=b`;
    const { answer, asked } = await ask([{ text: "elsewhere" }], { stream: false, settings: { endpoint } });
    expect(there.asked.map(({ path }) => path)).toEqual(["/some/where/chat/completions?a=b"]);
    expect(asked).toEqual([]);
    expect(answer).toMatchObject({ text: "there" });
    await there.close();
  });

  it("fails by another fingerprint for each fault", async () => {
    const spoken = { text: "x".repeat(400) };
    const scripts: ScriptedAnswer[] = [
      { status: 400 },
      { status: 401 },
      { status: 404 },
      { status: 429 },
      { status: 529 },
      { status: 500 },
      { ...spoken, middle: "cut" },
      { ...spoken, middle: "stall" },
      { ...spoken, finish: "length" },
      { ...spoken, finish: "refusal" },
      { status: 200, body: "<html>" },
    ];
    const prints = new Set<string>();
    for (const script of scripts) {
      const fault = await faultOf([script], { settings: { stall_seconds_max: 0.3 } });
      prints.add(fingerprint("codegen", failureFacts(fault) as FailureFacts));
      await server.close();
    }
    server = await modelServer([]);
    expect(prints.size).toBe(scripts.length);
  });
});
