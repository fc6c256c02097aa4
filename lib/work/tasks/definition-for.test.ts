import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { definitionFor } from "#lib/work/tasks/definition-for.ts";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";

const { workflows } = WorkflowsConfig.parse(JSON.parse(readFileSync("configs/workflows.json", "utf8")));
const change = workflows.change!;
const shape = ({ steps }: typeof change) =>
  steps.map(({ step, repair }) => (repair ? `${step} → ${repair.back_to}` : step));

it("leaves out the steps and the repairs that a task's change does not have, and leads repairs to what is left", () => {
  expect(shape(definitionFor(change, "patch"))).toEqual([
    ...["index", "codegen", "buildtest → codegen", "index_result"],
  ]);
  expect(definitionFor(change, "command")).toEqual(change);
  expect(definitionFor(workflows.buildtest!, undefined)).toEqual(workflows.buildtest);
});
