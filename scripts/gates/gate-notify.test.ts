import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chatSpace } from "#test/fakes/chat-space.ts";
import { webhookReceiver } from "#test/fakes/webhook-receiver.ts";
import { temporaryDirectory } from "#test/temporary.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const KEY = "key-that-nobody-may-see";
let chat: Awaited<ReturnType<typeof chatSpace>>;
let hook: Awaited<ReturnType<typeof webhookReceiver>>;
let directory: string;

beforeAll(async () => {
  [chat, hook] = await Promise.all([chatSpace(), webhookReceiver()]);
});
afterAll(() => Promise.all([chat.close(), hook.close()]));
beforeEach(() => {
  chat.reset();
  hook.reset();
  directory = temporaryDirectory("configs");
  for (const name of ["alerts.json", "outbound.json"])
    writeFileSync(join(directory, name), readFileSync(join("configs", name)));
});

function configure(sinks: object): void {
  const file = join(directory, "alerts.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), sinks }));
}

const both = () => ({
  ops: { kind: "google_chat", severities: ["critical"], messages_per_second: 1, threads: false },
  ci: { kind: "webhook", severities: ["critical", "info"], messages_per_second: 1 },
});

async function notify(words: string[], sinks?: string) {
  const addresses = { ops: { url: `${chat.url}?key=${KEY}` }, ci: { url: hook.url, secret: SECRET } };
  const env = {
    ...process.env,
    CONFIG_DIRECTORY: directory,
    ALERT_SINKS: sinks ?? JSON.stringify(addresses),
  };
  const child = spawn(process.execPath, ["scripts/gate-notify.ts", ...words], { env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const [code] = await once(child, "close");
  expect(said).not.toContain(KEY);
  return { code, said };
}

describe("gate:notify", () => {
  it("tells a failure to every sink that takes critical, as each takes it", async () => {
    configure(both());
    const words = ["--name", "gate:local <1>", "--failed", "--link", "https://ci.test/run/7"];
    expect(await notify(words)).toMatchObject({ code: 0 });
    expect([chat.titles(), chat.faults]).toEqual([["gate:local <1> failed"], []]);
    expect(chat.received[0]?.body).toContain("https://ci.test/run/7");
    const [{ body, headers }] = hook.received as [(typeof hook.received)[0]];
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toMatchObject({
      type: "gate.failed",
      data: { name: "gate:local <1>", passed: false, link: "https://ci.test/run/7" },
    });
  });

  it("tells a success where info is taken, or to the sink that is named", async () => {
    configure(both());
    await notify(["--name", "gate", "--passed"]);
    expect([chat.received.length, hook.received.length]).toEqual([0, 1]);
    await notify(["--name", "gate", "--passed", "--sink", "ops"]);
    expect([chat.titles(), hook.received.length]).toEqual([["gate passed"], 1]);
  });

  it("tries again where a sink answers 429, 500 or nothing, and ends with 1 where it refuses", async () => {
    configure({ ops: both().ops });
    chat.answer(429, { "retry-after": "1" });
    chat.answer(500);
    expect(await notify(["--name", "gate", "--failed"])).toMatchObject({ code: 0 });
    expect(chat.received).toHaveLength(3);
    chat.answerBy((response) => void response.destroy());
    chat.answer(404);
    const refused = await notify(["--name", "gate", "--failed"]);
    expect([refused.code, chat.received.length]).toEqual([1, 5]);
    expect(refused.said).toContain("sink ops answered 404");
  });

  it("ends with 0 and says so where nobody wants it, and with 1 where a sink has no URL", async () => {
    expect(await notify(["--name", "gate", "--failed"])).toMatchObject({
      code: 0,
      said: expect.stringContaining("nobody is told"),
    });
    configure(both());
    expect(await notify(["--name", "gate", "--passed"], "{}")).toMatchObject({
      code: 1,
      said: expect.stringContaining("ALERT_SINKS has no URL for sink ci"),
    });
  });

  it.each([
    [[], "--name is missing"],
    [["--name", "gate", "--passed", "--failed"], "say either --passed or --failed"],
    [["--name", "gate", "--passed", "--link", "javascript:x"], "--link is no URL"],
    [["--name", "gate", "--colour", "red"], "--colour"],
  ])("refuses %j with 2", async (words, sentence) => {
    const { code, said } = await notify(words);
    expect([code, said]).toEqual([2, expect.stringContaining(sentence)]);
  });

  it("refuses broken settings with 2", async () => {
    expect(await notify(["--name", "gate", "--passed"], `{"ops":"${KEY}"}`)).toMatchObject({
      code: 2,
      said: expect.stringContaining("ALERT_SINKS is no JSON"),
    });
    writeFileSync(join(directory, "alerts.json"), "{");
    expect(await notify(["--name", "gate", "--passed"])).toMatchObject({ code: 2 });
  });
});
