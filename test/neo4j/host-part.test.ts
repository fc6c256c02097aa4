import { join } from "node:path";
import neo4j from "neo4j-driver";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { neo4jPart } from "../../local/host/neo4j.ts";
import { anyFreePort } from "../../local/ports.ts";

async function query(environment: Record<string, string>, text: string, password?: string) {
  const { NEO4J_URL = "", NEO4J_USER = "", NEO4J_PASSWORD = "" } = environment;
  const driver = neo4j.driver(NEO4J_URL, neo4j.auth.basic(NEO4J_USER, password ?? NEO4J_PASSWORD), {
    disableLosslessIntegers: true,
  });
  try {
    return (await driver.executeQuery(text)).records.map((record) => record.get(0));
  } finally {
    await driver.close();
  }
}

describe("the Neo4j server of host mode", () => {
  it("keeps its data and its password through kill -9, and lets nobody in without it", async () => {
    const data_directory = temporaryDirectory("neo4j-part");
    const options = {
      port: await anyFreePort(),
      data_directory,
      log_file: join(data_directory, "neo4j.log"),
    };
    const first = await neo4jPart.start(options);
    await query(first.environment, "CREATE (:Kept {what: 'this'})");
    process.kill(-first.pid, "SIGKILL");
    await first.ended;
    const second = await neo4jPart.start(options);
    try {
      expect(second.environment).toEqual(first.environment);
      expect(await query(second.environment, "MATCH (n:Kept) RETURN n.what")).toEqual(["this"]);
      for (const wrong of ["neo4j", "password"]) {
        await expect(query(second.environment, "RETURN 1", wrong)).rejects.toMatchObject({
          code: "Neo.ClientError.Security.Unauthorized",
        });
      }
    } finally {
      await second.stop();
    }
    expect(await second.ended).toBe(0);
  });
});
