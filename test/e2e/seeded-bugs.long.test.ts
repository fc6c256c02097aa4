import { afterAll, describe, expect, it, vi } from "vitest";
import { modelServer } from "../fakes/model-server.ts";
import { exampleSource } from "./example.ts";
import { testStack } from "./test-stack.ts";

/** A line of the example package, what a bug makes of it, and what wrong answers make of that, one a round. */
interface Bug {
  file: string;
  right: string;
  bug: string;
  wrong: [string, string];
}

const RANGES = "src/ranges.js";
const BUGS: Bug[] = [
  {
    file: RANGES,
    right: "  return range.start <= day && day <= range.end;",
    bug: "  return range.start <= day && day < range.end;",
    wrong: [
      "  return range.start < day && day <= range.end;",
      "  return range.start < day && day < range.end;",
    ],
  },
  {
    file: RANGES,
    right: "    if (last && range.start <= addDays(last.end, 1)) {",
    bug: "    if (last && range.start <= last.end) {",
    wrong: [
      "    if (last && range.start < last.end) {",
      "    if (last && range.start <= addDays(last.end, -1)) {",
    ],
  },
  {
    file: RANGES,
    right: "  return start <= end ? { start, end } : undefined;",
    bug: "  return { start, end };",
    wrong: ["  return start > end ? { start, end } : undefined;", "  return start;"],
  },
  {
    file: "src/arithmetic.js",
    right: "  return Math.round((to.getTime() - from.getTime()) / DAY_MS);",
    bug: "  return Math.round((from.getTime() - to.getTime()) / DAY_MS);",
    wrong: ["  return 0;", "  return Math.round((to.getTime() - from.getTime()) / DAY_MS) + 1;"],
  },
];

vi.setConfig({ testTimeout: 900_000 }); // three tasks, on a machine that may be busy

const server = await modelServer([{ text: "nothing yet" }]);
afterAll(() => server.close());
const { api } = testStack(() => ({
  env: { MODEL_URL: server.completions_url, MODEL_NAME: "scripted" },
}));

const answer = (file: string, from: string, to: string) => ({
  text: `It is mended.\n\n${file}\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n`,
});

/** The example, mended of its own bug, with another in it. */
function seeded({ file, right, bug }: Bug) {
  const { kind, files } = exampleSource();
  const mended = files["src/weekdays.js"]!.replace("day.getDay()", "day.getUTCDay()");
  const source: Record<string, string> = { ...files, "src/weekdays.js": mended };
  const text = source[file] ?? "";
  expect(text.split(right), "the line is there once").toHaveLength(2);
  return { kind, files: { ...source, [file]: text.replace(right, bug) } };
}

describe.each(BUGS)("a bug in $file: $bug", (bug) => {
  const test = "node --test --test-reporter=tap";
  const { file, right, bug: line, wrong } = bug;
  const change = { kind: "prompt", text: `A line of ${file} is wrong. Mend it.` };
  const mended = async (fields: object) => {
    const { task_id } = await api.submit({ source: seeded(bug), test, repair_rounds: 1, ...fields });
    return api.ended(task_id);
  };

  it("fails the package's own tests, and the right answer turns them green", async () => {
    expect(await mended({ workflow: "buildtest" })).toMatchObject({ error: { code: "TESTS_FAILED" } });
    server.answer(answer(file, line, right));
    const view = await mended({ workflow: "change", change });
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
  });

  it("stays red with wrong answers, and ends within its rounds", async () => {
    server.asked.splice(0);
    server.answer(answer(file, line, wrong[0]), answer(file, wrong[0], wrong[1]));
    const view = await mended({ workflow: "change", change });
    expect(view).toMatchObject({ status: "failed", verdict: "failed", error: { code: "TESTS_FAILED" } });
    expect(server.asked).toHaveLength(2);
  });
});
