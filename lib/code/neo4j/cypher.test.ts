import { Neo4jError } from "neo4j-driver";
import { describe, expect, it } from "vitest";
import { neo4jDriver, neo4jFault } from "#lib/code/neo4j/cypher.ts";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";

const settings = { user: "neo4j", password: "secret", database: "neo4j" };

describe("neo4jDriver", () => {
  it("takes the addresses that Neo4j is reached at, and does not connect yet", async () => {
    const urls = [
      "bolt://127.0.0.1:7687",
      "neo4j://graph",
      "neo4j+s://graph.example:7687",
      "bolt+ssc://[::1]:1",
    ];
    for (const url of urls) await neo4jDriver({ ...settings, url }).close();
  });

  it("refuses others with what to write instead, whatever the password is", () => {
    for (const url of ["http://graph:7474", "graph:7687", "bolt://", "bolt://a b", "neo4j+s:graph"]) {
      expect(() => neo4jDriver({ ...settings, url })).toThrow(
        expect.objectContaining({
          code: "NEO4J_URL_UNUSABLE",
          disposition: "terminal",
          message: expect.stringMatching(/^NEO4J_URL is .*: give bolt:[^\n]*$/),
        }),
      );
    }
  });
});

const URL = "bolt://graph:7687";

function become(code: string) {
  const error = new Neo4jError("first line\nsecond line", code, "50N42", "error");
  const fault = neo4jFault(error, URL) as Error & { code: string };
  expect(fault.cause).toBe(error);
  expect(fault.message).not.toContain("\n");
  return [fault.code, dispositionOf(fault)];
}

describe("an error of Neo4j", () => {
  it("is tried again when the server is not there, also by the driver's own codes", () => {
    const away = ["ServiceUnavailable", "SessionExpired", "N/A", "ProtocolError"];
    const starting = [
      "Neo.TransientError.General.DatabaseUnavailable",
      "Neo.DatabaseError.Database.DatabaseNotAvailable",
    ];
    for (const code of [...away, ...starting]) expect(become(code)).toEqual(["NEO4J_UNAVAILABLE", "retry"]);
  });

  it("is tried again when it was a deadlock, a new leader, or took too long", () => {
    const passing = [
      "Neo.TransientError.Transaction.DeadlockDetected",
      "Neo.TransientError.Cluster.NotALeader",
      "Neo.ClientError.Cluster.NotALeader",
      "Neo.ClientError.Transaction.TransactionTimedOut",
      "Neo.ClientError.Security.AuthorizationExpired",
      "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
    ];
    for (const code of passing) expect(become(code)).toEqual(["NEO4J_BUSY", "retry"]);
  });

  it("ends the work when it is the credentials or the statement, which no repeat changes", () => {
    for (const what of ["Unauthorized", "AuthenticationRateLimit", "CredentialsExpired", "Forbidden"]) {
      expect(become(`Neo.ClientError.Security.${what}`)).toEqual(["NEO4J_CREDENTIALS_REFUSED", "terminal"]);
    }
    for (const what of ["Statement.SyntaxError", "Schema.ConstraintValidationFailed"]) {
      expect(become(`Neo.ClientError.${what}`)).toEqual(["NEO4J_REFUSED", "terminal"]);
    }
  });

  it("of somebody else comes back as it is", () => {
    const error = new TypeError("ours");
    expect(neo4jFault(error, URL)).toBe(error);
  });
});
