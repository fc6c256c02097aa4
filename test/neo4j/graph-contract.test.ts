import { afterAll, beforeAll, describe } from "vitest";
import { askingContract } from "../contract-graph/asking.ts";
import { publishingContract } from "../contract-graph/publishing.ts";
import { verifyingContract } from "../contract-graph/verifying.ts";
import { type Neo4jWorld, neo4jWorld } from "./neo4j-world.ts";

let world: Neo4jWorld;
beforeAll(async () => {
  world = await neo4jWorld();
});
afterAll(() => world.close());

describe("the graph in Neo4j: publishing", () => publishingContract(() => world));
describe("the graph in Neo4j: asking", () => askingContract(() => world));
describe("the graph in Neo4j: verifying", () => verifyingContract(() => world));
