import { exampleSource, FIX, tinySource } from "../e2e/example.ts";

const TEST = "node --test --test-reporter=tap";

/** One submission of each workflow. `run` makes its repository a new one. */
export const SUBMISSIONS: Record<string, (run: number) => object> = {
  run: () => ({ workflow: "run", source: tinySource(true), command: "true" }),
  buildtest: () => ({ workflow: "buildtest", source: tinySource(true), test: TEST }),
  index: (run) => ({ workflow: "index", source: tinySource(true), repository: `index-${run}` }),
  change: (run) => ({
    workflow: "change",
    source: exampleSource(),
    change: { kind: "patch", diff: FIX },
    test: TEST,
    repository: `change-${run}`,
  }),
};
