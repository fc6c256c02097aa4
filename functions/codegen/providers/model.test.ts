import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { applyModel } from "./model.ts";

const DIFF = "--- a/add.js\n+++ b/add.js\n@@ -1 +1 @@\n-export const one = 2;\n+export const one = 1;\n";
const completion = (content: string) => JSON.stringify({ choices: [{ message: { content } }] });

let server: Server;
let url: string;
let directory: string;
let answers: { status: number; body: string; headers?: Record<string, string> }[];
let asked: { authorization: string | undefined; body: { model: string; messages: { content: string }[] } }[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "model-"));
  writeFileSync(join(directory, "add.js"), "export const one = 2;\n");
  asked = [];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    asked.push({ authorization: request.headers.authorization, body: JSON.parse(text) });
    const { status, body, headers } = answers.shift() ?? { status: 500, body: "" };
    response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function change(round = 0) {
  const { context, blobs } = fakeAgentContext();
  const text = await blobs.write("make one be 1", "text/plain");
  const model = { url, name: "some-model", api_key: "secret" };
  return applyModel({ change: { kind: "prompt", text }, round, directory }, context, {
    model,
    code: codeWork,
  });
}

describe("a change in words", () => {
  it("becomes the diff the model answers, applied to the tree it was shown", async () => {
    answers = [{ status: 200, body: completion(`Here you are:\n\`\`\`diff\n${DIFF}\`\`\`\n`) }];
    expect(await change()).toMatchObject({ provider: "model" });
    expect(readFileSync(join(directory, "add.js"), "utf8")).toBe("export const one = 1;\n");
    expect(asked[0]?.authorization).toBe("Bearer secret");
    expect(asked[0]?.body.messages[0]?.content).toContain("make one be 1");
    expect(asked[0]?.body.messages[0]?.content).toContain("=== add.js\nexport const one = 2;");
  });

  it("fails when the answer is no diff, or one that does not apply", async () => {
    answers = [
      { status: 200, body: completion("I would rather not.") },
      { status: 200, body: completion(DIFF.replace("one = 2", "two = 2")) },
    ];
    await expect(change()).rejects.toMatchObject({ code: "MODEL_ANSWER_UNUSABLE", disposition: "reject" });
    await expect(change()).rejects.toMatchObject({ code: "DIFF_DOES_NOT_APPLY", disposition: "reject" });
  });

  it.each([
    [429, { "retry-after": "7" }, "MODEL_THROTTLED", "throttle", 7000],
    [429, {}, "MODEL_THROTTLED", "throttle", undefined],
    [503, {}, "MODEL_UNAVAILABLE", "retry", undefined],
    [503, { "retry-after": "9" }, "MODEL_UNAVAILABLE", "retry", 9000],
    [403, {}, "MODEL_REFUSED", "terminal", undefined],
    [401, {}, "MODEL_REFUSED", "terminal", undefined],
    [200, {}, "MODEL_REFUSED", "terminal", undefined],
  ])(
    "is told apart by what the endpoint answers: %i",
    async (status, headers, code, disposition, retry_after_ms) => {
      answers = [{ status, body: "{}", headers }];
      await expect(change()).rejects.toMatchObject({ code, disposition, retry_after_ms });
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
      answers = [{ status, body: "{}", headers: headers as never }];
      const asked_at = Date.now();
      const error = await change().catch((thrown) => thrown);
      expect(error).toMatchObject({ code: "MODEL_QUOTA_SPENT", disposition: "park", dependency: "model" });
      expect(error.retry_at_ms).toBeGreaterThanOrEqual(asked_at + seconds * 1000);
      expect(error.retry_at_ms).toBeLessThanOrEqual(Date.now() + seconds * 1000);
    },
  );

  it("is tried again when nothing listens", async () => {
    server.close();
    await expect(change()).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE", disposition: "retry" });
  });

  it("is asked for once a task", async () => {
    await expect(change(1)).rejects.toMatchObject({ code: "NO_REPAIR_LEFT" });
    expect(asked).toEqual([]);
  });
});
