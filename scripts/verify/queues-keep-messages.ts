import {
  handlerModule,
  logicalId,
  parseServerless,
  queueEvents,
  type Resource,
  SERVERLESS_FILE,
  type ServerlessFile,
  serviceOf,
} from "../tree/serverless.ts";
import type { Rule } from "./rule.ts";

/** Lambda's own default when neither function nor provider says one. */
const TIMEOUT_SECONDS_DEFAULT = 6;
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_FACTOR = 6;

/** Each queue-fed function has a queue and a DLQ of its own that cannot lose or double a message. */
export const queuesKeepMessages: Rule = {
  name: "queues-keep-messages",
  check(tree) {
    if (!tree.has(SERVERLESS_FILE)) return [];
    const file = parseServerless(tree.read(SERVERLESS_FILE));
    return Object.entries(file.functions).flatMap(([name, one]) => {
      const service = serviceOf(handlerModule(one)) ?? name;
      const timeout = one.timeout ?? file.provider.timeout ?? TIMEOUT_SECONDS_DEFAULT;
      return queueEvents(one)
        .flatMap((event) => [
          ...(event.response === "ReportBatchItemFailures"
            ? []
            : [
                "add functionResponseType: ReportBatchItemFailures, or one bad message repeats its whole batch.",
              ]),
          ...queueFaults(file, service, event.queue, timeout),
        ])
        .map((fault) => `${SERVERLESS_FILE}: function ${name}: ${fault}`);
    });
  },
};

function queueFaults(
  file: ServerlessFile,
  service: string,
  queue: string | undefined,
  timeout: unknown,
): string[] {
  const expected = `${pascalCase(service)}Queue`;
  if (queue !== expected) return [`name its queue by arn: {Fn::GetAtt: [${expected}, Arn]}.`];
  const resources = file.resources?.Resources ?? {};
  const properties = queueProperties(resources, queue);
  if (!properties) return [`resources.Resources has no AWS::SQS::Queue ${queue}: add it.`];
  return [
    ...visibilityFaults(queue, properties.VisibilityTimeout, timeout),
    ...redriveFaults(file, service, queue, properties.RedrivePolicy),
  ];
}

function visibilityFaults(queue: string, visibility: unknown, timeout: unknown): string[] {
  if (typeof timeout !== "number") return [`write its timeout as a number of seconds.`];
  const least = timeout * VISIBILITY_FACTOR;
  return typeof visibility === "number" && visibility >= least
    ? []
    : [
        `set ${queue}.VisibilityTimeout to ${least} or more (${VISIBILITY_FACTOR} × its timeout of ${timeout} s).`,
      ];
}

function redriveFaults(file: ServerlessFile, service: string, queue: string, policy: unknown): string[] {
  const { deadLetterTargetArn, maxReceiveCount } = (policy ?? {}) as Record<string, unknown>;
  const dead = logicalId(deadLetterTargetArn);
  if (!dead || dead === queue || !queueProperties(file.resources?.Resources ?? {}, dead)) {
    return [`give ${queue} a RedrivePolicy whose deadLetterTargetArn is the GetAtt of a DLQ of its own.`];
  }
  return [
    ...(typeof maxReceiveCount === "number" && maxReceiveCount >= 1
      ? []
      : [`give ${queue}.RedrivePolicy a maxReceiveCount.`]),
    ...senderFaults(file, service, queue, dead),
  ];
}

/** Both queues have to be known to the senders; that they may send, scripts/serverless/access says. */
function senderFaults(file: ServerlessFile, service: string, queue: string, dead: string): string[] {
  const suffix = service.toUpperCase().replaceAll("-", "_");
  const addresses = [
    { variable: `QUEUE_URL_${suffix}`, id: queue },
    { variable: `DLQ_URL_${suffix}`, id: dead },
  ];
  const environments = [file.provider, ...Object.values(file.functions)].map((one) => one.environment ?? {});
  return addresses.flatMap(({ variable, id }) =>
    environments.some((environment) => logicalId(environment[variable]) === id)
      ? []
      : [`add ${variable}: {Ref: ${id}} to provider.environment, or nobody can send to it.`],
  );
}

function queueProperties(
  resources: Record<string, Resource>,
  id: string,
): Record<string, unknown> | undefined {
  const resource = resources[id];
  return resource?.Type === "AWS::SQS::Queue" ? resource.Properties : undefined;
}

function pascalCase(service: string): string {
  return service.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
