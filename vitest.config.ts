import { defineConfig } from "vitest/config";

// Loading the embedding model takes seconds of a processor, and few tests of a stack embed anything.
process.env.LOCAL_WARM_EMBEDDER ??= "no";

/** Every lane checks that its test files leave nothing on the disk. */
function withSetUp<Lane extends { test: object }>(lanes: readonly Lane[]) {
  return lanes.map(({ test }) => ({ test: { ...test, setupFiles: "./test/set-up.ts" } }));
}

const LONG = ["**/*.long.test.ts"];
const PACKAGE = ["test/template/package.test.ts"];

/**
 * The lanes: `unit` (no emulator), `sandbox` (attacks on the sandbox), `simulation` (seeded faults in virtual time), `long`
 * (any `*.long.test.ts`: minutes of work, so not part of `npm test`), `template` (what is deployed, read as data), `package` (what is
 * uploaded, built and run; not part of `npm test` either), `integration` (embedded emulators), `contract` (what the code needs of AWS, against its
 * stand-ins: CONTRACT_TARGET), `e2e` (the whole local stack), `console` (a browser that uses the console of a local stack;
 * not part of `npm test`), `prometheus` (a real Prometheus scrapes a local stack; not part of `npm test`).
 */
export default defineConfig({
  test: {
    reporters: ["default", "./test/skipped-tests.ts"],
    maxWorkers: 4, // much of a run is waiting, for stacks to start and for leases to end
    projects: withSetUp([
      {
        test: {
          name: "unit",
          include: [
            "{schemas,lib,functions,local,cli,console,scripts,test/requests}/**/*.test.ts",
            "test/*.test.ts",
          ],
          exclude: LONG,
          isolate: false, // a file may find modules loaded by another: none of them keeps anything between tests
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          exclude: LONG,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "long",
          include: ["{lib,scripts,test}/**/*.long.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: { name: "sandbox", include: ["test/sandbox/**/*.test.ts"], testTimeout: 90_000 },
      },
      {
        test: {
          name: "template",
          include: ["test/template/**/*.test.ts"],
          exclude: PACKAGE,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      { test: { name: "package", include: PACKAGE, testTimeout: 300_000, hookTimeout: 600_000 } },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          exclude: LONG,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      ...["contract", "contract-simulation"].map((name) => ({
        test: {
          name,
          include: ["test/contract/**/*.test.ts"],
          ...(name === "contract-simulation" && { env: { CONTRACT_TARGET: "simulation" } }),
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      })),
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: LONG,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "prometheus",
          include: ["test/prometheus/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "console",
          include: ["test/console/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ]),
  },
});
