import { describe, expect, it } from "vitest";
import { ParkedFault, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { queryFailure } from "./query-failure.ts";

describe("what a question that failed is answered", () => {
  it("says that the index is to be made again when it is damaged", () => {
    for (const code of ["SNAPSHOT_CORRUPT", "SNAPSHOT_INCOMPLETE"] as const) {
      expect(queryFailure(new TerminalFault(code, "damaged"))).toMatchObject({
        status: 500,
        code: "INDEX_UNREADABLE",
      });
    }
  });

  it("asks for patience otherwise, and keeps where the graph is to itself", () => {
    const secret = "Neo4j at bolt://10.0.0.7:7687 refuses NEO4J_USER";
    const faults = [
      new TerminalFault("NEO4J_CREDENTIALS_REFUSED", secret),
      new RetryableFault("NEO4J_UNAVAILABLE", secret),
      new ParkedFault("CIRCUIT_OPEN", secret),
    ];
    for (const fault of faults) {
      const answer = queryFailure(fault);
      expect(answer).toMatchObject({
        status: 503,
        code: "GRAPH_UNAVAILABLE",
        headers: { "retry-after": "5" },
      });
      expect(answer.message).not.toContain("10.0.0.7");
    }
  });
});
