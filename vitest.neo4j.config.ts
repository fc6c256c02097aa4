import { defineConfig } from "vitest/config";

/** The lane that needs Java and Maven: it starts its own Neo4j server. Not part of `npm test`. */
export default defineConfig({
  test: {
    name: "neo4j",
    include: ["test/neo4j/**/*.test.ts"],
    setupFiles: "./test/set-up.ts",
    globalSetup: "test/neo4j/start-neo4j.ts",
    maxWorkers: 1, // one server, on the machine of everything else
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
