import { pascalCase } from "../serverless/logical-id.ts";
import { references, type Template, type TemplateResource } from "./template.ts";

/** Where a function's code is. */
export type Code =
  /** An object in the bucket that the parameter CodeBucket names. */
  | { kind: "zip"; key: string }
  /** The image that the parameter of this name names. */
  | { kind: "image"; parameter: string };

const CODE_BUCKET = {
  Type: "String",
  Description: "The bucket that has the folder code/ which npm run package made",
};
const IMAGE = {
  Type: "String",
  Description:
    "A container image by its digest: <account>.dkr.ecr.<region>.amazonaws.com/<name>@sha256:<digest>",
  AllowedPattern: "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$",
};

/**
 * The template with every function's code in it, in place of what the framework put there. An object's
 * key follows from its content, so a function that did not change is not deployed again.
 */
export function attachCode(template: Template, code: ReadonlyMap<string, Code>): Template {
  const parameters: Record<string, Record<string, unknown>> = { CodeBucket: CODE_BUCKET };
  const resources = Object.entries(template.Resources).map(([id, written]) => {
    const resource = withoutNeedlessOrder(written);
    if (resource.Type !== "AWS::Lambda::Function") return [id, resource];
    const name = String((resource.Properties?.Environment as Variables | undefined)?.Variables.SERVICE);
    const one = code.get(name);
    if (!one) throw new Error(`${id} (SERVICE: ${name}) has no code`);
    if (one.kind === "image") parameters[one.parameter] = IMAGE;
    return [id, withCode(resource, one)];
  });
  const { ServerlessDeploymentBucketName: _, ...Outputs } = template.Outputs ?? {};
  return { ...template, Parameters: parameters, Resources: Object.fromEntries(resources), Outputs };
}

/** `worker` → `WorkerImageUri`. */
export function imageParameter(container: string): string {
  return `${pascalCase(container)}ImageUri`;
}

interface Variables {
  Variables: Record<string, unknown>;
}

function withCode(resource: TemplateResource, code: Code): TemplateResource {
  const { Handler, Runtime, Code: _, ...kept } = resource.Properties ?? {};
  if (code.kind === "zip") {
    const Code = { S3Bucket: { Ref: "CodeBucket" }, S3Key: code.key };
    return { ...resource, Properties: { Code, Handler, Runtime, ...kept } };
  }
  const Code = { ImageUri: { Ref: code.parameter } };
  return {
    ...resource,
    Properties: { Code, PackageType: "Image", ImageConfig: { Command: [Handler] }, ...kept },
  };
}

/** A reference already makes CloudFormation wait; what only says so again is left out. */
function withoutNeedlessOrder(resource: TemplateResource): TemplateResource {
  const { DependsOn, ...rest } = resource;
  if (DependsOn === undefined) return resource;
  const referred = references(resource.Properties);
  const needed = [DependsOn].flat().filter((id) => !referred.has(id));
  return needed.length === 0 ? rest : { ...rest, DependsOn: needed };
}
