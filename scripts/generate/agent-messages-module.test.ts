import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryTree } from "../tree/memory-tree.ts";
import { agentMessagesModule } from "./agent-messages-module.ts";

const schema = z.strictObject({});

describe("agentMessagesModule", () => {
  it("lists who exports an input and an output, and nobody else", async () => {
    const tree = memoryTree(
      { "schemas/messages/code-review.ts": "", "schemas/messages/envelope.ts": "" },
      {
        "schemas/messages/code-review.ts": { CodeReviewInput: schema, CodeReviewOutput: schema },
        "schemas/messages/envelope.ts": { EnvelopeInput: schema },
      },
    );
    const text = await agentMessagesModule(tree);
    expect(text).toContain('from "#schemas/messages/code-review.ts"');
    expect(text).toContain('  "code-review": { Input: CodeReviewInput, Output: CodeReviewOutput },');
    expect(text).not.toContain("envelope");
  });
});
