import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CloudFormationClient, DescribeStackResourceCommand } from "@aws-sdk/client-cloudformation";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { parse } from "yaml";
import type { KeyPorts } from "#lib/http/auth/key-store.ts";
import { tableClient } from "#lib/platform/aws/clients.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { SERVERLESS_FILE } from "../tree/serverless.ts";

interface Place {
  /** A deployed stage; `local` is the running local stack. */
  stage: string;
  data_dir: string;
}

/**
 * The table of a stage and the pepper of its keys: of a deployed one from its CloudFormation stack and
 * Secrets Manager, with the credentials and region the AWS CLI would use; of `local` from the facts of
 * the running stack.
 */
export async function stagePorts({ stage, data_dir }: Place): Promise<KeyPorts> {
  return stage === "local" ? localPorts(data_dir) : deployedPorts(stage);
}

function localPorts(data_dir: string): KeyPorts {
  const file = join(resolve(data_dir), "environment.json");
  let facts: Record<string, string>;
  try {
    facts = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`There is no ${file}: start the stack with npm start, or name a --stage.`, { cause });
  }
  return {
    table: tableClient({
      endpoint: facts.AWS_ENDPOINT_URL_DYNAMODB ?? "",
      region: facts.AWS_REGION ?? "",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    }),
    runtime: systemRuntime,
    table_name: facts.TABLE_NAME ?? "",
    pepper: facts.API_KEY_PEPPER ?? "",
  };
}

async function deployedPorts(stage: string): Promise<KeyPorts> {
  const { service, provider } = parse(readFileSync(SERVERLESS_FILE, "utf8"));
  const region: string = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? provider.region;
  const stack = `${service}-${stage}`;
  const cloudformation = new CloudFormationClient({ region });
  const physical = async (LogicalResourceId: string): Promise<string> => {
    const command = new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId });
    const found = await cloudformation.send(command).catch((cause: Error) => {
      const advice = "Is the stage deployed, and are these its account and region?";
      throw new Error(`${LogicalResourceId} of stack ${stack} in ${region}: ${cause.message}\n${advice}`, {
        cause,
      });
    });
    return found.StackResourceDetail?.PhysicalResourceId ?? "";
  };
  const SecretId = await physical("ApiKeyPepper");
  const secret = await new SecretsManagerClient({ region }).send(new GetSecretValueCommand({ SecretId }));
  return {
    table: tableClient({ region }),
    runtime: systemRuntime,
    table_name: await physical("Table"),
    pepper: secret.SecretString ?? "",
  };
}
