import type { Resource } from "../resources/planned-resources.ts";

/**
 * What serverless-offline, the poller and the schedules stand for here, and needs Docker or a licence in LocalStack; and
 * the dashboard, with which the template is larger than a request may hold (on AWS it travels through a bucket).
 */
const LEFT_OUT = [
  /^AWS::Lambda::/,
  /^AWS::ApiGatewayV2::/,
  /^AWS::Events::/,
  /^AWS::Scheduler::/,
  /^AWS::CloudWatch::Dashboard$/,
];

/**
 * The resources of a packaged template that LocalStack is to make: without those that something here
 * stands for, without `elsewhere`, and without whatever speaks of one that is left out.
 */
export function deployableResources(
  resources: Record<string, Resource>,
  elsewhere: readonly string[],
): Record<string, Resource> {
  const kept = new Map(Object.entries(resources));
  for (const [logical_id, { Type }] of Object.entries(resources)) {
    if (LEFT_OUT.some((type) => type.test(Type)) || elsewhere.includes(logical_id)) kept.delete(logical_id);
  }
  const left_out = () => Object.keys(resources).filter((logical_id) => !kept.has(logical_id));
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    const gone = left_out();
    for (const [logical_id, resource] of kept) {
      const { DependsOn: _, ...own } = resource as Resource & { DependsOn?: unknown };
      if (gone.some((other) => speaksOf(own, other))) kept.delete(logical_id);
    }
  }
  const gone = left_out();
  return Object.fromEntries(
    [...kept].map(([logical_id, resource]) => [logical_id, independent(resource, gone)]),
  );
}

function speaksOf(value: unknown, logical_id: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => {
    if (key === "Ref") return item === logical_id;
    if (key === "Fn::GetAtt")
      return (Array.isArray(item) ? item[0] : String(item).split(".")[0]) === logical_id;
    if (key === "Fn::Sub") {
      const [text] = Array.isArray(item) ? item : [item];
      if (new RegExp(`\\$\\{${logical_id}[.}]`).test(String(text))) return true;
    }
    return speaksOf(item, logical_id);
  });
}

function independent(resource: Resource & { DependsOn?: unknown }, gone: readonly string[]): Resource {
  const { DependsOn, ...own } = resource;
  const left = [DependsOn ?? []].flat().filter((logical_id) => !gone.includes(String(logical_id)));
  return left.length === 0 ? own : ({ ...own, DependsOn: left } as Resource);
}
