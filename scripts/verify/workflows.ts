import { z } from "zod";
import { messageName } from "#lib/platform/config/workflow-faults.ts";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";
import type { Tree } from "../tree/tree.ts";

export const WORKFLOWS_FILE = "configs/workflows.json";

/** The tree's workflows; undefined when the file is missing or invalid, which is another rule's finding. */
export function readWorkflows(tree: Tree): WorkflowsConfig | undefined {
  if (!tree.has(WORKFLOWS_FILE)) return undefined;
  try {
    return WorkflowsConfig.safeParse(JSON.parse(tree.read(WORKFLOWS_FILE))).data;
  } catch {
    return undefined;
  }
}

export function messagesFile(agent: string): string {
  return `schemas/messages/${agent}.ts`;
}

/** The fields of an agent's message; undefined when it does not export that schema. */
export async function messageFields(
  tree: Tree,
  agent: string,
  end: "Input" | "Output",
): Promise<Record<string, z.ZodType> | undefined> {
  if (!tree.has(messagesFile(agent))) return undefined;
  const schema = (await tree.load(messagesFile(agent)))[messageName(agent, end)];
  return schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : undefined;
}
