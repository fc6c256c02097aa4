import { readFileSync } from "node:fs";
import { CloudFormationClient, DescribeStackResourceCommand } from "@aws-sdk/client-cloudformation";
import { S3Client } from "@aws-sdk/client-s3";
import { parse } from "yaml";
import { SERVERLESS_FILE } from "../tree/serverless.ts";

const LOCAL_FACTS = ".local/environment.json";

/**
 * The bucket of a deployed stage, from its CloudFormation stack; of `local`, from the running stack's
 * own facts. Credentials and region come from the surroundings, as for the AWS CLI.
 */
export async function findStage({
  stage,
  bucket,
}: {
  stage?: string | undefined;
  bucket?: string | undefined;
}): Promise<{ s3: S3Client; bucket: string }> {
  if (stage === "local") return localStage(bucket);
  const { service, provider } = parse(readFileSync(SERVERLESS_FILE, "utf8"));
  const region: string = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? provider.region;
  const forcePathStyle = process.env.S3_FORCE_PATH_STYLE === "true";
  const s3 = new S3Client({ region, forcePathStyle });
  if (bucket) return { s3, bucket };
  const stack = `${service}-${stage}`;
  const found = await new CloudFormationClient({ region })
    .send(new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: "ArtifactBucket" }))
    .catch((cause: Error) => {
      const advice = "Is the stage deployed, and are these its account and region? Or give --bucket.";
      throw new Error(`The bucket of stack ${stack} in ${region} is not known: ${cause.message}\n${advice}`, {
        cause,
      });
    });
  const name = found.StackResourceDetail?.PhysicalResourceId;
  if (!name) throw new Error(`Stack ${stack} in ${region} has no bucket yet: deploy it first.`);
  return { s3, bucket: name };
}

function localStage(bucket: string | undefined): { s3: S3Client; bucket: string } {
  let facts: Record<string, string>;
  try {
    facts = JSON.parse(readFileSync(LOCAL_FACTS, "utf8"));
  } catch (cause) {
    throw new Error(`There is no ${LOCAL_FACTS}: start the stack with npm start.`, { cause });
  }
  const s3 = new S3Client({
    endpoint: facts.AWS_ENDPOINT_URL_S3 ?? "",
    region: facts.AWS_REGION ?? "",
    forcePathStyle: true,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  return { s3, bucket: bucket ?? facts.ARTIFACT_BUCKET ?? "" };
}
