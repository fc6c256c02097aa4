import { workflowFaults } from "#lib/platform/config/workflow-faults.ts";
import type { Rule } from "./rule.ts";
import { messageFields, readWorkflows, WORKFLOWS_FILE } from "./workflows.ts";

/** Each step's input names fields its agent knows, fills those it requires, and takes them from places that exist. */
export const workflowInputsExist: Rule = {
  name: "workflow-inputs-exist",
  async check(tree) {
    const workflows = readWorkflows(tree)?.workflows ?? {};
    const agents = new Set(Object.values(workflows).flatMap(({ steps }) => steps.map(({ agent }) => agent)));
    const known = new Map<string, Awaited<ReturnType<typeof messageFields>>>();
    for (const agent of agents) {
      for (const end of ["Input", "Output"] as const) {
        known.set(`${agent} ${end}`, await messageFields(tree, agent, end));
      }
    }
    return workflowFaults(workflows, { fieldsOf: (agent, end) => known.get(`${agent} ${end}`) }).map(
      ({ workflow, step, message }) => `${WORKFLOWS_FILE}: ${workflow}, step ${step}: ${message}`,
    );
  },
};
