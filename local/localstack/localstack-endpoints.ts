import { hostEnvironment } from "../host/host-environment.ts";

/** Where each service of the stage `localstack` is asked. */
export interface LocalstackEndpoints {
  /** CloudFormation and everything without an address of its own. */
  aws: string;
  sqs: string;
  s3: string;
  dynamodb: string;
}

const DEFAULT_URL = "http://127.0.0.1:4566";
const VARIABLES = {
  aws: "AWS_ENDPOINT_URL",
  sqs: "AWS_ENDPOINT_URL_SQS",
  s3: "AWS_ENDPOINT_URL_S3",
  dynamodb: "AWS_ENDPOINT_URL_DYNAMODB",
} as const;

/**
 * The AWS SDKs' own variables, before those of a host mode that runs in the repository, before LocalStack's port.
 *
 * @throws on an address that is none, or that is AWS
 */
export function localstackEndpoints(
  given: Record<string, string | undefined>,
  repository: string,
): LocalstackEndpoints {
  // One that is given speaks for all: half of it and half of another stack would never be meant.
  const is_given = Object.values(VARIABLES).some((name) => given[name]);
  const environment = is_given ? given : hostEnvironment(repository);
  const read = (name: string, fallback: string) => checked(name, environment[name] || fallback);
  const aws = read(VARIABLES.aws, DEFAULT_URL);
  return {
    aws,
    sqs: read(VARIABLES.sqs, aws),
    s3: read(VARIABLES.s3, aws),
    dynamodb: read(VARIABLES.dynamodb, aws),
  };
}

function checked(name: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`${name} must be an address such as ${DEFAULT_URL}, not "${text}".`);
  }
  if (/(^|\.)(amazonaws\.com|api\.aws)(\.cn)?$/.test(url.hostname)) {
    throw new Error(
      `${name} is AWS itself (${url.hostname}): the stage localstack never speaks to it. Take it away, or give LocalStack's.`,
    );
  }
  return url.origin;
}
