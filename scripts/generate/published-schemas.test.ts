import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryTree } from "../tree/memory-tree.ts";
import { exportDocstrings, publishedSchemas, snakeCase } from "./published-schemas.ts";

describe("publishedSchemas", () => {
  it("names a schema after its group and its export, without the suffix the group says, and leaves out parts of records and configs", async () => {
    const tree = memoryTree(
      {},
      {
        "schemas/config/retry-policy.ts": { RetryPolicyConfig: z.string(), Part: z.string() },
        "schemas/messages/codegen.ts": { CodegenInput: z.string() },
        "schemas/records/task.ts": { TaskRecord: z.string(), TaskSpec: z.string() },
        "schemas/artifacts/task.ts": { TaskArtifact: z.string() },
      },
    );
    const source = { ...tree, read: () => "" };
    expect((await publishedSchemas(source)).map(({ name }) => name)).toEqual([
      "artifact.task",
      "config.retry_policy",
      "message.codegen_input",
      "record.task",
    ]);
  });

  it("leaves out exports that are no schema and files outside the groups", async () => {
    const tree = memoryTree(
      { "schemas/messages/a.ts": "" },
      {
        "schemas/messages/a.ts": { limit: 3, Type: undefined },
        "schemas/primitives.ts": { Sha256: z.string() },
        "schemas/messages/a.test.ts": { Broken: z.string() },
      },
    );
    expect(await publishedSchemas(tree)).toEqual([]);
  });

  it("refuses two exports of one name", async () => {
    const tree = memoryTree(
      { "schemas/http/a.ts": "", "schemas/http/b.ts": "" },
      { "schemas/http/a.ts": { Same: z.string() }, "schemas/http/b.ts": { Same: z.string() } },
    );
    await expect(publishedSchemas(tree)).rejects.toThrow(
      "schemas/http/b.ts and schemas/http/a.ts both export schema http.same: rename one.",
    );
  });
});

describe("snakeCase", () => {
  it("parts words at capitals", () => {
    expect(snakeCase("BuildTestReport")).toBe("build_test_report");
  });
});

describe("exportDocstrings", () => {
  it("takes the docstring right above an exported constant and no other comment", () => {
    const source = `
/**
 * Two lines
 * of words.
 */
export const Said = z.string();
// not a docstring
export const Unsaid = z.string();
`;
    expect([...exportDocstrings(source)]).toEqual([["Said", "Two lines of words."]]);
  });
});
