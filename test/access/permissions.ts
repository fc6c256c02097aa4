import type { Template } from "../../scripts/package/template.ts";
import { statementsOf } from "../template/rules/roles.ts";
import type { Access } from "./accesses.ts";

/** One action on one resource that a role allows, under its conditions. */
export interface Permission {
  action: string;
  /** `Table.Arn`, `ArtifactBucket.Arn/tenants/*`: logical ids in place of ARNs. */
  resource: string;
  /** Partition keys, for the table. */
  keys: string[] | undefined;
  /** The only attributes it may name, for the table. */
  attributes: string[] | undefined;
}

/** What a function's role allows, one by one. */
export function permissionsOf(template: Template, role: string): Permission[] {
  return statementsOf(template, role).flatMap(({ Action, Resource, Condition = {} }) => {
    const { "ForAllValues:StringLike": like, "ForAllValues:StringEquals": equal, ...rest } = Condition;
    const { Null: _, StringEqualsIfExists: __, ...unknown } = rest;
    if (Object.keys(unknown).length > 0) throw new Error(`${role} has a condition this does not judge`);
    const attributes = equal?.["dynamodb:Attributes"] as string[] | undefined;
    const keys = (like?.["dynamodb:LeadingKeys"] as string[] | undefined) ?? [undefined];
    return Action.flatMap((action) =>
      [Resource].flat().flatMap((resource) =>
        keys.map((key) => ({
          action,
          resource: symbolic(resource),
          keys: key ? [key] : undefined,
          attributes,
        })),
      ),
    );
  });
}

function symbolic(resource: unknown): string {
  if (typeof resource === "string") return resource;
  const { "Fn::GetAtt": get, "Fn::Sub": sub } = resource as { "Fn::GetAtt"?: string[]; "Fn::Sub"?: string };
  return get ? get.join(".") : String(sub).replace(/^\$\{([\w.]+)\}/, "$1");
}

/** Whether IAM would let this access through by this permission. */
export function allows({ action, resource, keys, attributes }: Permission, access: Access): boolean {
  if (action !== access.action || !matches(resource, access.resource)) return false;
  if (keys && !(access.key !== undefined && keys.some((key) => matches(key, access.key ?? "")))) return false;
  return !attributes || access.attributes.every((name) => attributes.includes(name));
}

/** IAM's wildcards: any number of any characters, slashes too. */
function matches(pattern: string, text: string): boolean {
  const expression = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${expression}$`, "s").test(text);
}
