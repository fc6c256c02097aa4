import { inject } from "vitest";
import { neo4jGraphStore } from "#lib/code/graph/neo4j-graph-store.ts";
import { preparedOnce } from "#lib/code/graph/neo4j-schema.ts";
import { type Cypher, cypherOver, neo4jDriver } from "#lib/code/neo4j/cypher.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { Neo4jSettings } from "#lib/platform/settings/environment.ts";
import type { Damage, GraphWorld } from "../contract-graph/graph-world.ts";

export function laneSettings(): Neo4jSettings {
  return { ...inject("neo4j"), database: "neo4j" };
}

export interface Neo4jWorld extends GraphWorld {
  cypher: Cypher;
  /** Takes all out of the database, constraints and indexes too. */
  empty(): Promise<void>;
}

/** The lane's server, emptied. `now` moves its writers' clock. */
export async function neo4jWorld(options: { now?: () => number } = {}): Promise<Neo4jWorld> {
  const world = anotherProcess(options);
  await world.empty();
  return world;
}

/** The lane's server as it is, over connections of its own, for which nothing is prepared yet. */
export function anotherProcess(options: { now?: () => number } = {}): Neo4jWorld {
  const settings = laneSettings();
  const driver = neo4jDriver(settings);
  const cypher = cypherOver(driver, settings);
  const prepare = preparedOnce(cypher);
  return {
    cypher,
    empty: () => emptyDatabase(cypher),
    store(beforeWrite = async () => {}) {
      const write: Cypher["write"] = async (...given) => {
        await beforeWrite();
        return cypher.write(...given);
      };
      return neo4jGraphStore({
        cypher: { ...cypher, write },
        prepare,
        runtime: { uuid: systemRuntime.uuid, now: options.now ?? systemRuntime.now },
        call: (work) => work(new AbortController().signal),
      });
    },
    damage: (repository, how) => damage(cypher, repository, how),
    close: () => driver.close(),
  };
}

async function damage(cypher: Cypher, repository: string, how: Damage): Promise<void> {
  const chunk = `MATCH (repository:CodeRepository {tenant: 'acme', name: $repository})
     MATCH (chunk:CodeChunk {revision_id: repository.current}) WHERE chunk.vector IS NOT NULL
     WITH chunk ORDER BY chunk.place LIMIT 1`;
  const change = how === "half" ? "DETACH DELETE chunk" : "SET chunk.vector = $vector";
  await cypher.write(`${chunk} ${change}`, { repository, ...(how !== "half" && { vector: how.vector }) });
}

async function emptyDatabase(cypher: Cypher): Promise<void> {
  for (const { name } of await cypher.read("SHOW CONSTRAINTS YIELD name")) {
    await cypher.write(`DROP CONSTRAINT ${name}`);
  }
  for (const { name } of await cypher.read("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'")) {
    await cypher.write(`DROP INDEX ${name}`);
  }
  let left = true;
  while (left) {
    const [row] = await cypher.write(
      "MATCH (n) WITH n LIMIT 1000 DETACH DELETE n RETURN count(*) AS removed",
    );
    left = row?.removed !== 0;
  }
}
