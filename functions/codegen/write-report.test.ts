import { describe, expect, it } from "vitest";
import { inlineBlob } from "#lib/platform/blobs/inline-blob.ts";
import type { ModelUse } from "#schemas/artifacts/codegen-metrics.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import type { Provided } from "./providers/provider-task.ts";
import { writeReport } from "./write-report.ts";

type Change = Parameters<typeof writeReport>[0]["diff"]["changes"][number];
const file = (path: string, change: Change["change"] = "modified"): Change => ({
  ...{ path, change, insertions: 2, deletions: 1 },
});

const model: ModelUse = {
  ...{
    name: "claude",
    model: "claude-x",
    provider: "anthropic",
    prompt_version: 1,
    prompt_sha256: "a".repeat(64),
  },
  ...{ rounds: 1, turns: 2, input_tokens: 900, cached_input_tokens: 300, output_tokens: 80, usd: 0.0123 },
  ...{ answer_ms: 5, task_tokens: 980, task_usd: 0.0123, task_tokens_max: 1e6, task_usd_max: 5 },
};

async function summaryOf(changes: Change[], provided: Partial<Provided> = {}): Promise<string> {
  const { context, artifacts } = fakeAgentContext();
  const diff = { bytes: Buffer.from("diff"), changes };
  const all: Provided = { provider: "patch", notes: [], ...provided };
  await writeReport({ ...all, diff, round: 0, started: 0 }, context);
  return artifacts.get("codegen/summary.md")?.bytes.toString() ?? "";
}

describe("codegen/summary.md", () => {
  it("reads like the description of a pull request", async () => {
    const intent = "Make add add. It subtracted before, because of a typo in `add_all`.";
    const asked = "add subtracts;\nmake it *add*";
    const changes = [file("add.js"), file("test/add.test.js", "added")];
    expect(await summaryOf(changes, { provider: "model", intent, asked, model })).toBe(`# Make add add

Make add add. It subtracted before, because of a typo in &#96;add&#95;all&#96;.

Asked for:

> add subtracts;
> make it &#42;add&#42;

## Changes

2 files changed: 4 lines added, 2 lines removed. Made by the model claude-x: 2 questions in this round, 900 tokens in (300 from the cache), 80 out, 0.0123 USD.

| File | Change | Added | Removed |
|---|---|---:|---:|
| <code>add.js</code> | modified | +2 | −1 |
| <code>test/add.test.js</code> | added | +2 | −1 |

## What to look at

- <code>test/add.test.js</code>: it is a test
`);
  });

  it("has a title whoever made the change", async () => {
    const title = async (provided: Partial<Provided>, changes = [file("a_b.js")]) =>
      (await summaryOf(changes, provided)).split("\n")[0];
    expect(await title({})).toBe("# Change a&#95;b.js");
    expect(await title({}, [file("a.js"), file("b.js"), file("c.js")])).toBe(
      "# Change a.js and 2 other files",
    );
    expect(await title({ asked: "round prices\nto cents" })).toBe("# round prices to cents");
    expect(await title({ intent: `${"word ".repeat(60)}.` })).toMatch(
      /^# (?:word ){18,19}word?…$|^# .{90,100}…$/,
    );
  });

  it("lists as many files as leave it small enough for the ledger", async () => {
    const name = (index: number) => `${index}/${(index * 7919).toString(36).repeat(12)}.js`;
    const changes = Array.from({ length: 900 }, (_, index) => file(name(index)));
    const text = await summaryOf(changes, { intent: "ü_*".repeat(330) });
    expect(inlineBlob("acme", Buffer.from(text))).toBeDefined();
    expect(text).toMatch(/… and \d+ more files; all are in metrics\.json\./);
  });
});
