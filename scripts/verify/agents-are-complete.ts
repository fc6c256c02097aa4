import { messageName } from "#lib/platform/config/workflow-faults.ts";
import {
  handlerModule,
  parseServerless,
  queueEvents,
  SERVERLESS_FILE,
  serviceOf,
} from "../tree/serverless.ts";
import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";
import { messageFields, messagesFile, readWorkflows, WORKFLOWS_FILE } from "./workflows.ts";

/** Each agent a workflow names has a folder, a queue-fed function, and schemas for its input and output. */
export const agentsAreComplete: Rule = {
  name: "agents-are-complete",
  async check(tree) {
    const workflows = Object.values(readWorkflows(tree)?.workflows ?? {});
    const agents = new Set(workflows.flatMap(({ steps }) => steps.map(({ agent }) => agent)));
    const findings = await Promise.all([...agents].sort().map((agent) => agentFaults(tree, agent)));
    return findings.flat().map((fault) => `${WORKFLOWS_FILE}: ${fault}`);
  },
};

async function agentFaults(tree: Tree, agent: string): Promise<string[]> {
  const faults: string[] = [];
  if (!tree.has(`functions/${agent}/handler.ts`)) {
    faults.push(
      `agent ${agent} has no functions/${agent}/handler.ts: add the function, or correct the name.`,
    );
  } else if (tree.has(SERVERLESS_FILE) && !isQueueFed(tree, agent)) {
    faults.push(
      `agent ${agent} has no function with an sqs event in ${SERVERLESS_FILE}: its messages would wait for ever.`,
    );
  }
  for (const end of ["Input", "Output"] as const) {
    if (await messageFields(tree, agent, end)) continue;
    faults.push(
      `agent ${agent}: export ${messageName(agent, end)}, a z.strictObject, from ${messagesFile(agent)}.`,
    );
  }
  return faults;
}

function isQueueFed(tree: Tree, agent: string): boolean {
  return Object.values(parseServerless(tree.read(SERVERLESS_FILE)).functions).some(
    (one) => serviceOf(handlerModule(one)) === agent && queueEvents(one).length > 0,
  );
}
