import { createVitest } from "vitest/node";

/** `npm run -s smoke:localstack`: the lane against real servers, and its counts as the last line. */
const vitest = await createVitest("test", { config: "vitest.localstack.config.ts", watch: false });
let counts = { passed: 0, failed: 1 };
try {
  await vitest.start();
  const modules = vitest.state.getTestModules();
  const states = modules.flatMap(({ children }) =>
    [...children.allTests()].map((test) => test.result().state),
  );
  const failed_modules = modules.filter((module) => module.errors().length > 0).length;
  counts = {
    passed: states.filter((state) => state === "passed").length,
    // A test that was to run and did not has failed, and so has a run that ran none.
    failed:
      states.filter((state) => state !== "passed").length + failed_modules + (states.length === 0 ? 1 : 0),
  };
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
} finally {
  await vitest.close();
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
