import { describe, expect, it } from "vitest";
import { MODEL_KEY } from "#test/fakes/model-choice.ts";
import type { ScriptedAnswer } from "#test/fakes/model-server.ts";
import { FILES, modelStage, RIGHT, replaceBlock } from "#test/fakes/model-stage.ts";

const { artifact, artifacts, asked, change, fault, put, questions, read } = modelStage();

describe("a change in words", () => {
  it("is made of the edits the model answers, and says what it took", async () => {
    const prices = { usd_per_million_tokens: { input: 3, cached_input: 0.3, output: 15 } };
    const usage = { input: 1000, cached: 400, output: 100 };
    const provided = await change([{ text: RIGHT, usage }], { model: prices });
    expect(read("src/add.js")).toBe("export const add = (a, b) => a + b;\n");
    expect(provided).toMatchObject({
      provider: "model",
      intent: "The subtraction becomes an addition.",
      spent: { tokens: 1100, usd_micros: 600 * 3 + 400 * 0.3 + 100 * 15 },
      model: {
        ...{ name: "ours", model: "some-model", rounds: 1, turns: 1 },
        ...{ input_tokens: 1000, cached_input_tokens: 400, output_tokens: 100, usd: 0.00342 },
        prompt_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(questions()[0]).toContain("add subtracts; make it add");
    expect(questions()[0]).toContain("export const add = (a, b) => a - b;");
  });

  it("leaves request and answer as artifacts, without the key", async () => {
    await change([{ text: `${RIGHT}\nby the way: ${MODEL_KEY}\n` }]);
    expect(artifact("turn-1-request.json")).toContain("add subtracts");
    expect(artifact("turn-1-answer.md")).toContain("The subtraction becomes an addition.");
    expect([...artifacts().values()].map(({ bytes }) => bytes.toString()).join()).not.toContain(MODEL_KEY);
  });

  it("leaves them also when the question fails", async () => {
    expect(await fault([{ status: 400, body: '{"error":{"message":"bad temperature"}}' }])).toMatchObject({
      code: "MODEL_REFUSED",
      message: expect.stringContaining("bad temperature"),
    });
    expect(artifact("turn-1-request.json")).toContain("add subtracts");
    expect(artifact("turn-1-answer.txt")).toContain("HTTP 400");
    expect(artifact("turn-1-answer.txt")).toContain("bad temperature");
  });

  it("asks once when the message comes twice", async () => {
    await change([{ text: RIGHT }]);
    put(FILES);
    await change([], { again: true });
    expect(asked()).toHaveLength(1);
    expect(read("src/add.js")).toContain("a + b");
  });

  it("asks once also for an answer that was of no use", async () => {
    const script: ScriptedAnswer[] = [{ text: "half", finish: "length" }];
    expect(await fault(script)).toMatchObject({ code: "MODEL_ANSWER_TRUNCATED", disposition: "reject" });
    expect(await fault(script, { again: true })).toMatchObject({ code: "MODEL_ANSWER_TRUNCATED" });
    expect(asked()).toHaveLength(1);
    expect(artifact("turn-1-answer.md")).toContain("half");
  });

  it("takes a unified diff with wrong counts, in a fence, with prose around it", async () => {
    const text =
      "Here:\n```diff\n--- a/src/add.js\n+++ b/src/add.js\n@@ -1,7 +1,9 @@\n-export const add = (a, b) => a - b;\n+export const add = (a, b) => a + b;\n```\nDone.";
    await change([{ text }]);
    expect(read("src/add.js")).toBe("export const add = (a, b) => a + b;\n");
  });

  it("takes edits by tool calls from a model that is set to make them", async () => {
    const call = {
      name: "replace_text",
      input: { path: "src/add.js", search: "a - b", replace: "a + b" },
    };
    await change([{ text: "It adds now.", calls: [call] }], { model: { edit_form: "tools" } });
    expect(read("src/add.js")).toContain("a + b");
    expect(
      asked()[0]?.body.tools.map((tool: { function: { name: string } }) => tool.function.name),
    ).toContain("replace_text");
  });

  it("tells the model which call was refused, and takes its next ones", async () => {
    const wrong = { name: "replace_text", input: { path: "src/add.js", search: "a * b", replace: "a + b" } };
    const right = { name: "replace_text", input: { path: "src/add.js", search: "a - b", replace: "a + b" } };
    await change(
      [
        { text: "", calls: [wrong] },
        { text: "", calls: [right] },
      ],
      { model: { edit_form: "tools" } },
    );
    expect(read("src/add.js")).toContain("a + b");
    expect(questions()[1]).toContain("refused: EDIT_SEARCH_NOT_FOUND");
  });
});

describe("an answer that cannot be applied", () => {
  it("goes back to the model with the reason, and its next answer is taken", async () => {
    const stale = replaceBlock("src/add.js", "export const add = (x, y) => x - y;", "…");
    const provided = await change([{ text: stale }, { text: RIGHT }]);
    expect(read("src/add.js")).toContain("a + b");
    expect(provided.model).toMatchObject({ turns: 2 });
    expect(questions()[1]).toContain("EDIT_SEARCH_NOT_FOUND");
    expect(asked()[1]?.body.messages.map(({ role }: { role: string }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
    ]);
  });

  it("without any edit is a failure after turns_max questions, by its own code", async () => {
    const refused = await fault([{ text: "I think the code is fine as it is." }], {
      policy: { turns_max: 2 },
    });
    expect(refused).toMatchObject({ code: "EDITS_MISSING", disposition: "reject" });
    expect(asked()).toHaveLength(2);
    expect(read("src/add.js")).toBe(FILES["src/add.js"]);
  });

  it.each([
    ["out of the tree", "../outside.js"],
    ["into .git", ".git/hooks/pre-commit"],
    ["to an absolute path", "/etc/cron.d/x"],
  ])("writes nothing %s", async (_, path) => {
    const text = `${path}\n<<<<<<< FILE\nevil\n>>>>>>> FILE\n`;
    const refused = await fault([{ text }], { policy: { turns_max: 1 } });
    expect(refused).toMatchObject({ code: "EDIT_PATH_UNSAFE", disposition: "reject" });
  });

  it("is shown a file that it edits unseen, and may then edit it", async () => {
    const other = Object.fromEntries(
      Array.from({ length: 60 }, (_, number) => [
        `lib/part-${number}.js`,
        `export const part${number} = ${number};\n${"// filler\n".repeat(60)}`,
      ]),
    );
    const edit = replaceBlock("lib/part-7.js", "export const part7 = 7;", "export const part7 = 70;");
    await change([{ text: edit }, { text: edit }], { files: { ...FILES, ...other } });
    expect(questions()[0]).not.toContain("### lib/part-7.js");
    expect(questions()[1]).toContain("### lib/part-7.js");
    expect(read("lib/part-7.js")).toContain("part7 = 70");
  });

  it("never writes the placeholder of a secret over the secret", async () => {
    const secret = `aws_secret_access_key = "${"Ab1/".repeat(10)}"`;
    const files = { ...FILES, "src/add.js": `${FILES["src/add.js"]}// ${secret}\n` };
    const whole = `src/add.js\n<<<<<<< FILE\nexport const add = 1;\n// aws_secret_access_key = "[redacted]"\n>>>>>>> FILE\n`;
    const refused = await fault([{ text: whole }], { files, policy: { turns_max: 1 } });
    expect(refused).toMatchObject({ code: "EDIT_MALFORMED" });
    expect(questions()[0]).not.toContain("Ab1/Ab1/");
    expect(read("src/add.js")).toContain(secret);
  });
});

describe("the budget of a task", () => {
  it("is checked before the question, and names the setting", async () => {
    const tokens = await fault([{ text: RIGHT }], { policy: { task_tokens_max: 9000 } });
    expect(tokens).toMatchObject({ code: "MODEL_BUDGET_SPENT", disposition: "reject" });
    expect(tokens.message).toContain("task_tokens_max");
    expect(asked()).toEqual([]);
    const prices = { usd_per_million_tokens: { input: 1000, output: 1000 } };
    const dollars = await fault([{ text: RIGHT }], { model: prices, policy: { task_usd_max: 2 } });
    expect(dollars).toMatchObject({ code: "MODEL_BUDGET_SPENT" });
    expect(dollars.message).toContain("task_usd_max");
    expect(asked()).toEqual([]);
  });

  it("counts the rounds before", async () => {
    const round = { spent: { tokens: 990_000, usd_micros: 0 } };
    expect(await fault([{ text: RIGHT }], { round })).toMatchObject({ code: "MODEL_BUDGET_SPENT" });
    expect(asked()).toEqual([]);
  });

  it("counts each question of a round", async () => {
    const policy = { task_tokens_max: 60_000, turns_max: 4 };
    const refused = await fault([{ text: "no edit", usage: { input: 48_000, output: 5000 } }], { policy });
    expect(refused.code).toBe("MODEL_BUDGET_SPENT");
    expect(asked()).toHaveLength(1);
  });
});
