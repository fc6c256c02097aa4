import { describe, expect, it } from "vitest";
import { greeterTree, workflows } from "./fixture.ts";
import { workflowInputsExist } from "./workflow-inputs-exist.ts";

const first = { step: "first", agent: "greeter", input: { source: "source" } };
const check = (...steps: object[]) =>
  workflowInputsExist.check(greeterTree({ "configs/workflows.json": workflows(...steps) }));

describe("workflow-inputs-exist", () => {
  it("accepts fields of the task, the round, and outputs of earlier steps", async () => {
    const second = {
      step: "second",
      agent: "greeter",
      input: { source: "first.greeting | source", name: "round" },
    };
    expect(await check(first, second)).toEqual([]);
  });

  it("accepts an output of a later step within a repair loop", async () => {
    const start = { step: "start", agent: "greeter", input: { source: "end.greeting | source" } };
    const end = { ...first, step: "end", repair: { back_to: "start", rounds_max: 1 } };
    expect(await check(start, end)).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      "a field the agent does not know",
      { source: "source", colour: "source" },
      "input colour is no field of GreeterInput",
    ],
    ["a required field left out", { name: "source" }, "GreeterInput requires source"],
    ["an unknown field of the task", { source: "sauce" }, '"sauce" is no field of a task'],
    ["an unknown step", { source: "zeroth.greeting" }, '"zeroth.greeting" names no step'],
    ["an unknown output", { source: "first.colour" }, '"first.colour" is no field of GreeterOutput'],
    ["an output of a step that has not run", { source: "second.greeting" }, "has not run by then"],
  ])("rejects %s", async (_, input, said) => {
    expect(await check(first, { step: "second", agent: "greeter", input })).toEqual([
      expect.stringContaining(`hello, step second: ${said.startsWith('"') ? "input source: " : ""}`),
    ]);
    expect((await check(first, { step: "second", agent: "greeter", input })).join()).toContain(said);
  });

  it("rejects two steps of one name and a repair that leads nowhere", async () => {
    expect(await check(first, first)).toEqual([expect.stringContaining("another step has this name")]);
    expect(await check({ ...first, repair: { back_to: "nowhere", rounds_max: 1 } })).toEqual([
      expect.stringContaining('repair.back_to names "nowhere"'),
    ]);
  });
});
