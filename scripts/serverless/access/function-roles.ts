import type { FunctionDeclaration, ServiceDeclaration } from "../expand-agents.ts";
import { pascalCase } from "../logical-id.ts";
import { AGENT_ACCESS, grantedBy, QUEUE_ACCESS, type QueueIds } from "./grants.ts";
import { objects, queues, type Statement } from "./statement.ts";

/**
 * Gives every function a role of its own: what its `access:` grants, what its `agent:` block takes to
 * serve a queue, and what every function has. No function may do what only another one does.
 */
export function addRoles(service: ServiceDeclaration): void {
  const agents = Object.keys(service.functions).filter((name) => service.functions[name]?.agent);
  const ids: QueueIds = {
    queues: Object.fromEntries(agents.map((name) => [name, `${pascalCase(name)}Queue`])),
    stage: service.provider.stage ?? "local",
    dead_letter_queues: Object.fromEntries(
      agents.map((name) => [name, `${pascalCase(name)}DeadLetterQueue`]),
    ),
  };
  const declared = service.resources?.Resources ?? {};
  for (const [name, declaration] of Object.entries(service.functions)) {
    const id = `${pascalCase(name)}Role`;
    const function_name = `${service.service}-${service.provider.stage}-${name}`;
    declared[id] = role(statements(name, declaration, function_name, ids));
    declaration.role = id;
  }
  service.resources = { ...service.resources, Resources: declared };
}

function statements(
  name: string,
  { agent, access }: FunctionDeclaration,
  function_name: string,
  ids: QueueIds,
): Statement[] {
  const granted = access ?? (agent ? AGENT_ACCESS : []);
  return [...everywhere(function_name), ...(agent ? servesQueue(name, ids) : []), ...grantedBy(granted, ids)];
}

/** Its own log, its trace segments, the operator's files. No function may write those. */
function everywhere(function_name: string): Statement[] {
  return [
    {
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: {
        "Fn::Sub": `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${function_name}:*`,
      },
    },
    // X-Ray knows no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    { Effect: "Allow", Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource: "*" },
    objects("configs/*", ["GetObject"]),
  ];
}

/** lib/agents/agent/serve-queue.ts: its own queue and DLQ, failure records, metrics, traces. */
function servesQueue(name: string, ids: QueueIds): Statement[] {
  return [
    queues(idOf(ids.queues, name), [
      "ReceiveMessage",
      "DeleteMessage",
      "GetQueueAttributes",
      "ChangeMessageVisibility",
      "SendMessage", // parked work is sent anew: docs/decisions/0007-parking.md
    ]),
    queues(idOf(ids.dead_letter_queues, name), ["SendMessage"]), // nothing here may read or empty one
    ...grantedBy(QUEUE_ACCESS, ids),
  ];
}

function idOf(by_agent: Record<string, string>, name: string): string[] {
  return [by_agent[name] ?? []].flat();
}

function role(Statement: Statement[]) {
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: ["lambda.amazonaws.com"] }, Action: ["sts:AssumeRole"] },
        ],
      },
      Policies: [{ PolicyName: "duties", PolicyDocument: { Version: "2012-10-17", Statement } }],
    },
  };
}
