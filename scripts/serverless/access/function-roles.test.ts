import { describe, expect, it } from "vitest";
import type { FunctionDeclaration, ServiceDeclaration } from "../expand-agents.ts";
import { addRoles } from "./function-roles.ts";

/** The role of `review`, as text. */
function roleOf(review: FunctionDeclaration, others: Record<string, FunctionDeclaration> = {}): string {
  const service: ServiceDeclaration = {
    service: "agents",
    provider: { stage: "prod" },
    functions: { orchestrator: { agent: {} }, review, ...others },
  };
  addRoles(service);
  expect(service.functions.review?.role).toBe("ReviewRole");
  return JSON.stringify(service.resources?.Resources?.ReviewRole);
}

describe("addRoles", () => {
  it("gives a new agent what it takes to serve its queue and run its step, and no more", () => {
    const role = roleOf({ agent: {} }, { other: { agent: {} } });
    for (const part of ["ReviewQueue", "ReviewDeadLetterQueue", "OrchestratorQueue", "TASK#*", "/blobs/*"]) {
      expect(role).toContain(part);
    }
    for (const part of ["OtherQueue", "OtherDeadLetterQueue", "KEY#", "GRAPH#", "s3:ListBucket"]) {
      expect(role).not.toContain(part);
    }
  });

  it("gives an agent with duties of its own those instead", () => {
    const role = roleOf({ agent: {}, access: ["read_graphs"] });
    expect(role).toContain("GRAPH#*");
    expect(role).not.toContain("TASK#*");
  });

  it("gives a function that serves no queue only what it names", () => {
    const role = roleOf({ access: ["judge_credentials"] });
    expect(role).toContain("KEY#*");
    expect(role).not.toContain("sqs:");
    expect(role).toContain("log-group:/aws/lambda/agents-prod-review:*");
  });

  it("refuses a duty that there is not, and says which there are", () => {
    expect(() => roleOf({ access: ["everything"] })).toThrow(/there is no everything; there are .*run_steps/);
    expect(() => roleOf({ access: ["toString"] })).toThrow("there is no toString");
  });
});
