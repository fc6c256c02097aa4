import { defineConfig } from "vitest/config";

/** The lane that needs Python: it starts LocalStack and the table itself. Not part of `npm test`. */
export default defineConfig({
  test: {
    name: "localstack",
    include: ["test/localstack/**/*.test.ts"],
    setupFiles: "./test/set-up.ts",
    globalSetup: "test/localstack/start-parts.ts",
    maxWorkers: 1, // one LocalStack, on the machine of everything else
    testTimeout: 400_000,
    hookTimeout: 400_000,
  },
});
