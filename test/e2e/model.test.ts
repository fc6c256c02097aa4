import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const ANSWER = `\`\`\`diff
--- a/add.js
+++ b/add.js
@@ -1 +1 @@
-export const add = (a, b) => a - b;
+export const add = (a, b) => a + b;
\`\`\``;

/** A model that knows one answer. */
const model = createServer((_, response) => {
  response.end(JSON.stringify({ choices: [{ message: { content: ANSWER } }] }));
});
afterAll(() => model.close());
const { api } = testStack(async () => {
  model.listen(0, "127.0.0.1");
  await once(model, "listening");
  const MODEL_URL = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1/chat/completions`;
  return { env: { MODEL_URL, MODEL_NAME: "one-answer" } };
});

describe("a change in words, with a model configured", () => {
  it("is made, tested and passed like any other", async () => {
    const { task_id } = await api.submit({
      workflow: "change",
      source: tinySource(false),
      change: { kind: "prompt", text: "add subtracts; make it add" },
      test: "node --test --test-reporter=tap",
    });
    const view = await api.ended(task_id);
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    const metrics = JSON.parse((await api.artifact(task_id, "codegen/metrics.json")).toString("utf8"));
    expect(metrics).toMatchObject({ provider: "model", files_changed: 1 });
  });
});
