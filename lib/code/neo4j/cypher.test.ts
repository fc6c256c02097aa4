import { describe, expect, it } from "vitest";
import { neo4jDriver } from "#lib/code/neo4j/cypher.ts";

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
