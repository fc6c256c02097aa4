/** Where the emulators listen. */
export interface Endpoints {
  sqs_and_s3_url: string;
  dynamodb_url: string;
}

/** What could lead an AWS SDK to a real account instead of the emulators. */
const LEADS_AWAY = [
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_SESSION_TOKEN",
  "AWS_ROLE_ARN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
];

/** The variables that lead every AWS SDK in the process to the emulators, with credentials that open nothing. */
export function localEnvironment(endpoints: Endpoints, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: "http://127.0.0.1:9", // anything but the four below is refused at once
    AWS_ENDPOINT_URL_SQS: endpoints.sqs_and_s3_url,
    AWS_ENDPOINT_URL_SNS: endpoints.sqs_and_s3_url,
    AWS_ENDPOINT_URL_S3: endpoints.sqs_and_s3_url,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb_url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    S3_FORCE_PATH_STYLE: "true",
    // serverless-offline sets these to Lambda's paths, which would mislead the programs a build runs.
    LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH ?? "",
    NODE_PATH: process.env.NODE_PATH ?? "",
    LANG: process.env.LANG ?? "C.UTF-8",
  };
}

/** Puts the variables into this process, and takes out what would override them. */
export function enterLocalEnvironment(environment: Record<string, string>): void {
  for (const name of LEADS_AWAY) delete process.env[name];
  Object.assign(process.env, environment);
}
