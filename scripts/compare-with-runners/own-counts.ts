import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import type { Counts } from "./sample-projects.ts";

type Reader = (output: string) => Counts | null;

/** The sum of all numbers that a pattern finds. */
function sum(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
}

/** How many lines match. */
function lines(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].length;
}

/** Counts from lines that a run must have; null where there is none of them. */
function reader(must_have: RegExp, read: (output: string) => Counts): Reader {
  return (output) => {
    const plain = stripAnsi(output);
    return must_have.test(plain) ? read(plain) : null;
  };
}

/** go's lines of `-v`: a test with subtests is their container, and a package may fail to build. */
const go: Reader = reader(/^(?:ok|FAIL)\s/m, (output) => {
  const results = [...output.matchAll(/^ *--- (PASS|FAIL|SKIP): (\S+)/gm)].map(([, word, name = ""]) => ({
    word,
    name,
  }));
  const leaves = results.filter(({ name }) => !results.some((other) => other.name.startsWith(`${name}/`)));
  const of = (word: string) => leaves.filter((leaf) => leaf.word === word).length;
  return {
    passed: of("PASS"),
    failed: of("FAIL") + lines(output, /\[build failed\]$/gm),
    skipped: of("SKIP"),
  };
});

/** Leaf lines of TAP with subtests: those whose next less indented line is not about them. */
const perl: Reader = reader(/^1\.\.\d+/m, (output) => {
  // The project has one subtest, whose container is its only result named `inner`.
  const results = [...output.matchAll(/^ *(not )?ok \d+ - (.*)$/gm)].filter(([, , name]) => name !== "inner");
  const skipped = results.filter(([, , name = ""]) => /# (?:skip|todo)/i.test(name));
  const failed = results.filter(([, not, name = ""]) => not && !/# (?:skip|todo)/i.test(name));
  const skip_only = lines(output, /^ok \d+ # skip/gm);
  return {
    passed: results.length - skipped.length - failed.length,
    failed: failed.length,
    skipped: skipped.length + skip_only,
  };
});

/** Reads each runner's own summary, independently of the readers that are compared with it. */
export const ownCounts = {
  nodeTest: reader(/^ℹ tests \d+/m, (output) => ({
    passed: sum(output, /^ℹ pass (\d+)/gm),
    failed: sum(output, /^ℹ (?:fail|cancelled) (\d+)/gm),
    skipped: sum(output, /^ℹ (?:skipped|todo) (\d+)/gm),
  })),
  /** A suite that cannot load has no test, and is one more that failed. */
  vitest: reader(/^ +Tests /m, (output) => {
    const tests = /^ +Tests +(.*)$/m.exec(output)?.[1] ?? "";
    return {
      passed: sum(tests, /(\d+) passed/g),
      failed: sum(tests, /(\d+) failed/g) + sum(output, /Failed Suites (\d+)/g),
      skipped: sum(tests, /(\d+) (?:skipped|todo)/g),
    };
  }),
  jest: reader(/^Tests: /m, (output) => {
    const tests = /^Tests:(.*)$/m.exec(output)?.[1] ?? "";
    return {
      passed: sum(tests, /(\d+) passed/g),
      failed: sum(tests, /(\d+) failed/g) + lines(output, /^ {2}● Test suite failed to run/gm),
      skipped: sum(tests, /(\d+) (?:skipped|todo)/g),
    };
  }),
  mocha: reader(/^ +\d+ passing/m, (output) => ({
    passed: sum(output, /^ +(\d+) passing/gm),
    failed: sum(output, /^ +(\d+) failing/gm),
    skipped: sum(output, /^ +(\d+) pending/gm),
  })),
  /** tape and QUnit end with counts in comments; tape counts skipped and todo results as passed. */
  tape: reader(/^# pass/m, (output) => {
    const skipped = lines(output, /^(?:not )?ok .*# (?:skip|todo)\b/gim);
    const stated = sum(output, /^# (?:skip|todo) +(\d+)/gm);
    const passed = sum(output, /^# pass +(\d+)/gm) - (stated === skipped ? 0 : skipped);
    return { passed, failed: sum(output, /^# fail +(\d+)/gm), skipped };
  }),
  /** AVA tells how many passed only when all did; each has a line in any case. */
  ava: reader(/\d+ tests? (?:passed|failed)/, (output) => ({
    passed: lines(output, /^ +✔ /gm),
    failed: sum(output, /(\d+) tests? failed/g),
    skipped: sum(output, /(\d+) tests? (?:skipped|todo)/g),
  })),
  nodeTap: reader(/^1\.\.\d+/m, (output) => {
    // Assertions: the lines that open no subtest and close none.
    const results = [...output.matchAll(/^ *(not )?ok \d+ - (.*)$/gm)].filter(
      ([, , name = ""]) => !/^(?:math|deep|inner|t\.js)\b/.test(name),
    );
    const skipped = results.filter(([, , name = ""]) => /# (?:skip|todo)/i.test(name)).length;
    const failed = results.filter(([, not, name = ""]) => not && !/# (?:skip|todo)/i.test(name)).length;
    return { passed: results.length - skipped - failed, failed, skipped };
  }),
  bats: reader(/^\d+ tests?, \d+ failures?/m, (output) => {
    const tests = sum(output, /^(\d+) tests?,/gm);
    const failed = sum(output, /(\d+) failures?/g);
    const skipped = sum(output, /(\d+) skipped/g);
    return { passed: tests - failed - skipped, failed, skipped };
  }),
  perl,
  pytest: reader(/ in [\d.]+s/, (output) => {
    const last = output.trimEnd().split("\n").at(-1) ?? "";
    return {
      passed: sum(last, /(\d+) (?:passed|xpassed)/g),
      failed: sum(last, /(\d+) (?:failed|errors?)/g),
      skipped: sum(last, /(\d+) (?:skipped|xfailed)/g),
    };
  }),
  go,
  cargo: reader(/^test result: /m, (output) => ({
    passed: sum(output, /^test result: .*? (\d+) passed/gm),
    failed: sum(output, /^test result: .*? (\d+) failed/gm),
    skipped: sum(output, /^test result: .*? (\d+) ignored/gm),
  })),
  /** The last line is the whole run; with reruns a flaky test is told by itself, and passed. */
  surefire: reader(/Tests run: \d+/, (output) => {
    const total = [
      ...output.matchAll(/Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)/g),
    ].at(-1);
    const [, run, failures, errors, skipped] = (total ?? []).map(Number);
    const failed = (failures ?? 0) + (errors ?? 0);
    return { passed: (run ?? 0) - failed - (skipped ?? 0), failed, skipped: skipped ?? 0 };
  }),
} satisfies Record<string, Reader>;
