import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { type Cypher, cypherOver, neo4jDriver } from "#lib/code/neo4j/cypher.ts";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import type { Neo4jSettings } from "#lib/platform/settings/environment.ts";
import { anyFreePort } from "../../local/ports.ts";
import { laneSettings } from "./neo4j-world.ts";

/** A generous "within seconds": the driver repeats what may pass for five of them. */
const SECONDS_MAX = 30;

/** What a statement fails with under these settings, and how soon. */
async function failure(changed: Partial<Neo4jSettings>, ask = (cypher: Cypher) => cypher.read("RETURN 1")) {
  const settings = { ...laneSettings(), ...changed };
  const driver = neo4jDriver(settings);
  const started = performance.now();
  try {
    await ask(cypherOver(driver, settings));
  } catch (error) {
    expect((performance.now() - started) / 1000).toBeLessThan(SECONDS_MAX);
    const { code, message } = error as Error & { code: string };
    return { code, message, disposition: dispositionOf(error) };
  } finally {
    await driver.close();
  }
  throw new Error("It did not fail.");
}

describe("a Neo4j that cannot be used", () => {
  it("is a setting to correct when it refuses the password, said in one line", async () => {
    const found = await failure({ password: "not the password" });
    expect(found).toMatchObject({ code: "NEO4J_CREDENTIALS_REFUSED", disposition: "terminal" });
    expect(found.message).toContain("set both as the server has them, then replay what failed");
    expect(found.message).not.toMatch(/\n|not the password/);
  });

  it("is tried again later when nothing listens there", async () => {
    const url = `bolt://127.0.0.1:${await anyFreePort()}`;
    const found = await failure({ url });
    expect(found).toMatchObject({ code: "NEO4J_UNAVAILABLE", disposition: "retry" });
    expect(found.message).toContain(url);
    expect(found.message).toContain("check NEO4J_URL");
  });

  it("is tried again later while it is half started: it takes connections and says nothing", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const { port } = silent.address() as AddressInfo;
      const found = await failure({ url: `bolt://127.0.0.1:${port}` });
      expect(found).toMatchObject({ code: "NEO4J_UNAVAILABLE", disposition: "retry" });
    } finally {
      silent.close();
    }
  });

  it("is tried again later when what listens there is something else", async () => {
    const other = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as AddressInfo;
      const found = await failure({ url: `bolt://127.0.0.1:${port}` });
      expect(found).toMatchObject({ code: "NEO4J_UNAVAILABLE", disposition: "retry" });
    } finally {
      other.close();
    }
  });

  it("is for us to look at when a statement is wrong or the database does not exist", async () => {
    const wrong = await failure({}, (cypher) => cypher.read("RETURN nothing_like_it"));
    expect(wrong).toMatchObject({ code: "NEO4J_REFUSED", disposition: "terminal" });
    expect(await failure({ database: "nowhere" })).toMatchObject({
      code: "NEO4J_REFUSED",
      disposition: "terminal",
    });
  });
});
