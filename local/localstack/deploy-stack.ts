import { setTimeout as delay } from "node:timers/promises";
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import type { Resource } from "../resources/planned-resources.ts";

const LOOK_MS = 300;
const DEPLOY_MS_MAX = 120_000;

/**
 * Makes the stack, or brings one that is there up to date.
 *
 * @throws with the stack's own reason when it does not succeed
 */
export async function deployStack(name: string, resources: Record<string, Resource>): Promise<void> {
  const client = new CloudFormationClient();
  const template = { AWSTemplateFormatVersion: "2010-09-09", Resources: resources };
  const input = {
    StackName: name,
    TemplateBody: JSON.stringify(template),
    Capabilities: ["CAPABILITY_IAM" as const, "CAPABILITY_NAMED_IAM" as const],
  };
  try {
    const existing = await describe(client, name);
    if (existing) await update(client, input);
    else await client.send(new CreateStackCommand(input));
    await untilDeployed(client, name);
  } finally {
    client.destroy();
  }
}

async function update(client: CloudFormationClient, input: { StackName: string; TemplateBody: string }) {
  try {
    await client.send(new UpdateStackCommand(input));
  } catch (error) {
    if (!/no updates are to be performed/i.test((error as Error).message)) throw error;
  }
}

async function describe(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks.find(({ StackStatus }) => StackStatus !== "DELETE_COMPLETE");
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) return undefined;
    throw error;
  }
}

async function untilDeployed(client: CloudFormationClient, name: string): Promise<void> {
  const gives_up_at = performance.now() + DEPLOY_MS_MAX;
  while (performance.now() < gives_up_at) {
    const { StackStatus = "gone" } = (await describe(client, name)) ?? {};
    if (["CREATE_COMPLETE", "UPDATE_COMPLETE"].includes(StackStatus)) return;
    if (!StackStatus.endsWith("_IN_PROGRESS")) {
      throw new Error(
        `LocalStack could not make the stack ${name}: ${StackStatus} (${await reasonOf(client, name)}). Restart LocalStack, which begins empty.`,
      );
    }
    await delay(LOOK_MS);
  }
  throw new Error(`LocalStack did not finish the stack ${name} within ${DEPLOY_MS_MAX / 1000} s.`);
}

async function reasonOf(client: CloudFormationClient, StackName: string): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  const failed = StackEvents.find(
    ({ ResourceStatus = "", ResourceStatusReason }) =>
      ResourceStatus.endsWith("_FAILED") && ResourceStatusReason,
  );
  return failed ? `${failed.LogicalResourceId}: ${failed.ResourceStatusReason}` : "no reason given";
}
