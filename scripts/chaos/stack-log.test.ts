import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { countEndings, readStackLog } from "./stack-log.ts";

const folder = temporaryDirectory("stack-log");
const file = join(folder, "stack.log");

const ended = (task_id: string, round: number) =>
  JSON.stringify({ code: "STEP_ENDED", task_id, step: "run", round });

describe("the log of a stack with many lives", () => {
  it("is read over its rotation, without what a kill cut off and what is no log line", () => {
    writeFileSync(`${file}.1`, `${ended("a", 0)}\nserverless says hello\n{"code":"STEP_EN`);
    writeFileSync(file, `${ended("b", 0)}\n{"no":"code"}\nnull\n`);
    expect(readStackLog(file).map(({ task_id }) => task_id)).toEqual(["a", "b"]);
    expect(readStackLog(join(folder, "absent.log"))).toEqual([]);
  });

  it("tells a step round that ended twice from two rounds that ended once", () => {
    const task = JSON.stringify({ code: "TASK_ENDED", task_id: "a" });
    writeFileSync(`${file}.1`, "");
    writeFileSync(file, [ended("a", 0), ended("a", 1), ended("b", 0), ended("b", 0), task].join("\n"));
    expect(Object.fromEntries(countEndings(readStackLog(file)))).toEqual({
      "a run#0": 1,
      "a run#1": 1,
      "b run#0": 2,
      a: 1,
    });
  });
});
