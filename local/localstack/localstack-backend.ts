import { CloudFormationClient, DescribeStackResourceCommand } from "@aws-sdk/client-cloudformation";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { renderTemplate } from "../../scripts/package/render-template.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { enterLocalEnvironment, localEnvironment } from "../local-environment.ts";
import { createResources } from "../resources/create-resources.ts";
import { named, plannedLookup, type Resource } from "../resources/planned-resources.ts";
import { deployStack } from "./deploy-stack.ts";
import { deployableResources } from "./deployable-resources.ts";
import { type LocalstackEndpoints, localstackEndpoints } from "./localstack-endpoints.ts";

/**
 * LocalStack, with the resources of the packaged template: those it holds are made by its CloudFormation,
 * a table or bucket that another server holds (AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_S3) is made there.
 */
export async function localstackBackend({ names }: BackendOptions, repository: string): Promise<Backend> {
  const endpoints = localstackEndpoints(process.env, repository);
  const environment = {
    ...localEnvironment({ sqs_and_s3_url: endpoints.sqs, dynamodb_url: endpoints.dynamodb }, names.region),
    AWS_ENDPOINT_URL: endpoints.aws,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_EMF_ENVIRONMENT: "Local", // metrics to the log: no CloudWatch agent listens here
  };
  const template = await renderTemplate(names.stage);
  enterLocalEnvironment(environment);
  const resources = Object.fromEntries(
    Object.entries(template.Resources).map(([id, resource]) => [id, named(id, resource as Resource, names)]),
  );
  const elsewhere = heldElsewhere(resources, endpoints);
  const stack = `${names.service}-${names.stage}`;
  const restore = async () => {
    await createResources(Object.fromEntries(elsewhere), names, endpoints.sqs);
    await deployStack(stack, deployableResources(resources, [...elsewhere.keys()]));
  };
  await restore();
  return {
    environment,
    lookup: plannedLookup(resources, names, endpoints.sqs),
    sqs_url: endpoints.sqs,
    pepper: await secretOf(stack, "ApiKeyPepper"),
    webhook_secret_root: await secretOf(stack, "WebhookSecretRoot"),
    restore,
    close: async () => {},
  };
}

function heldElsewhere(
  resources: Record<string, Resource>,
  { aws, s3, dynamodb }: LocalstackEndpoints,
): Map<string, Resource> {
  const types = [
    ...(dynamodb === aws ? [] : ["AWS::DynamoDB::Table"]),
    ...(s3 === aws ? [] : ["AWS::S3::Bucket"]),
  ];
  return new Map(Object.entries(resources).filter(([, { Type }]) => types.includes(Type)));
}

/** As the functions of a deployed stage get it: from a secret that the stack made. */
async function secretOf(StackName: string, LogicalResourceId: string): Promise<string> {
  const cloudformation = new CloudFormationClient();
  const secrets = new SecretsManagerClient();
  try {
    const { StackResourceDetail } = await cloudformation.send(
      new DescribeStackResourceCommand({ StackName, LogicalResourceId }),
    );
    const SecretId = StackResourceDetail?.PhysicalResourceId;
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    if (!SecretString) throw new Error(`The stack ${StackName} made no secret ${LogicalResourceId}.`);
    return SecretString;
  } finally {
    cloudformation.destroy();
    secrets.destroy();
  }
}
