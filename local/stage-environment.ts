import { hostEnvironment } from "./host/host-environment.ts";
import { checkEndpoints } from "./localstack/check-endpoints.ts";
import { localstackEndpoints } from "./localstack/localstack-endpoints.ts";
import type { StartOptions } from "./start-options.ts";

/**
 * The variables that lead the stage to its services: none for `local`, which brings its own.
 *
 * @throws one line for each service that does not answer, with what to do
 */
export async function stageEnvironment(
  { stage, service_directory }: StartOptions,
  given: Record<string, string | undefined>,
): Promise<Record<string, string>> {
  if (stage === "local") return {};
  const endpoints = localstackEndpoints(given, service_directory);
  await checkEndpoints(endpoints);
  // The graph's address and password, where host mode runs one and none was given.
  const graph = Object.entries(hostEnvironment(service_directory)).filter(([name]) =>
    name.startsWith("NEO4J_"),
  );
  return {
    ...(given.NEO4J_URL ? {} : Object.fromEntries(graph)),
    AWS_ENDPOINT_URL: endpoints.aws,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
  };
}
