import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "#test/fakes/run-cli.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { readLogLines } from "./stack-log.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const line = (code: string, more: object = {}) =>
  `${JSON.stringify({ at: "2026-01-31T12:00:01.250Z", level: "info", code, message: `says ${code}`, service: "sandbox", ...more })}\n`;

const LOG = [
  "Starting Offline at stage local\n",
  line("STEP_BEGAN", { task_id: "task_one", trace_id: TRACE }),
  line("STEP_ENDED", { task_id: "task_one", trace_id: TRACE }),
  line("STEP_ENDED", { task_id: "task_two", trace_id: "0".repeat(32) }),
  '{"broken": \n{"no":"code"}\n',
].join("");

/** A directory in which a stack wrote this log. */
function stackAt(text: string) {
  const directory = temporaryDirectory("stack");
  mkdirSync(join(directory, ".local"));
  const file = join(directory, ".local", "stack.log");
  writeFileSync(file, text);
  return { directory, file };
}

describe("agents logs of the local stack", () => {
  it("shows the lines of a task, of a trace, with a code, and of all that are given", async () => {
    const { directory: cwd } = stackAt(LOG);
    const codes = async (...words: string[]) => {
      const { stdout, code, stderr } = await runCli(["logs", ...words, "--json"], { cwd });
      expect([code, stderr]).toEqual([0, ""]);
      return stdout.trim() === ""
        ? []
        : stdout
            .trim()
            .split("\n")
            .map((each) => JSON.parse(each).code);
    };
    expect(await codes("--task", "task_one")).toEqual(["STEP_BEGAN", "STEP_ENDED"]);
    expect(await codes("--trace", TRACE, "--code", "STEP_ENDED")).toEqual(["STEP_ENDED"]);
    expect(await codes("--code", "STEP_ENDED")).toEqual(["STEP_ENDED", "STEP_ENDED"]);
    expect(await codes("--task", "task_three")).toEqual([]);
    const { stdout } = await runCli(["logs", "--task", "task_two"], { cwd });
    expect(stdout).toBe(`12:00:01.250 info sandbox STEP_ENDED says STEP_ENDED task_two ${"0".repeat(32)}\n`);
  });

  it("follows what is added, also when the file was made anew", async () => {
    const { directory: cwd, file } = stackAt(LOG);
    let step = 0;
    const { stdout } = await runCli(["logs", "--follow", "--code", "STEP_ENDED", "--json"], {
      cwd,
      onOutput(output, child) {
        const seen = output.split("\n").length - 1;
        if (seen === 2 && step === 0) {
          step = 1;
          const added = line("STEP_ENDED", { task_id: "task_three" });
          appendFileSync(file, added.slice(0, 20)); // a line may be written in pieces
          setTimeout(() => appendFileSync(file, added.slice(20)), 300);
        }
        if (seen === 3 && step === 1) {
          step = 2;
          writeFileSync(file, line("STEP_ENDED", { task_id: "task_four" }));
        }
        if (seen === 4) child.kill("SIGINT");
      },
    });
    const tasks = stdout
      .trim()
      .split("\n")
      .map((each) => JSON.parse(each).task_id);
    expect(tasks).toEqual(["task_one", "task_two", "task_three", "task_four"]);
  });

  it("reads a long log with whole lines across its chunks", async () => {
    const { file } = stackAt(
      Array.from({ length: 5000 }, (_, index) =>
        line("STEP_ENDED", { number: index, text: "é".repeat(100) }),
      ).join(""),
    );
    let next = 0;
    for await (const read of readLogLines(file, {})) {
      expect(read).toMatchObject({ number: next, text: "é".repeat(100) });
      next += 1;
    }
    expect(next).toBe(5000);
  });

  it.each([
    [["logs"], 2, "Name a task, or say which lines"],
    [["logs", "task_one", "--follow"], 2, "Either a task's own logs"],
    [["logs", "--code", "step ended"], 2, "--code is wrong"],
    [["logs", "--trace", "x"], 2, "--trace is wrong"],
    [["logs", "--task", "x", "--file", "/none"], 2, "--task is wrong"],
    [["logs", "--code", "X", "--file", "/none/stack.log"], 4, "There is no /none/stack.log"],
  ])("refuses %j", async (words, wanted, sentence) => {
    const { code, stderr } = await runCli(words, { cwd: temporaryDirectory("empty") });
    expect([code, stderr]).toEqual([wanted, expect.stringContaining(sentence)]);
  });
});
