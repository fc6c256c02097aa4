import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { missingTools } from "../../local/host/missing-tools.ts";
import { neo4jPart } from "../../local/host/neo4j.ts";
import { anyFreePort } from "../../local/ports.ts";

export interface Neo4jServer {
  url: string;
  user: string;
  password: string;
}

declare module "vitest" {
  interface ProvidedContext {
    neo4j: Neo4jServer;
  }
}

/** A server for the whole lane, installed if need be; the lane fails when there can be none. */
export default async function startNeo4j(project: TestProject): Promise<() => Promise<void>> {
  const missing = await missingTools(neo4jPart.tools);
  if (missing.length > 0) throw new Error(missing.join(" "));
  const data_directory = await mkdtemp(join(tmpdir(), "neo4j-lane-"));
  const log_file = join(data_directory, "neo4j.log");
  await neo4jPart.install(console.log);
  const running = await neo4jPart.start({ port: await anyFreePort(), data_directory, log_file });
  console.log(`${neo4jPart.title} serves at ${running.endpoint}`);
  const { NEO4J_USER = "", NEO4J_PASSWORD = "" } = running.environment;
  project.provide("neo4j", { url: running.endpoint, user: NEO4J_USER, password: NEO4J_PASSWORD });
  return async () => {
    await running.stop();
    await rm(data_directory, { recursive: true, force: true });
  };
}
