import { resourcesOf, type Template } from "../../../scripts/package/template.ts";
import { idIn, properties, type TemplateRule } from "./rule.ts";

interface LambdaFunction {
  FunctionName: string;
  Runtime?: string;
  PackageType?: string;
  Architectures?: string[];
  Timeout?: number;
  Handler?: string;
  Code: { S3Bucket?: unknown; S3Key?: string; ImageUri?: unknown };
  ImageConfig?: { Command?: string[] };
  TracingConfig?: { Mode: string };
  Environment: { Variables: Record<string, unknown> };
}

const TIMEOUT_SECONDS_MAX = 900;
/** What a variable may hold that others must not see, and who needs it. */
const SECRETS: Record<string, string[]> = {
  API_KEY_PEPPER: ["gateway", "retrieval", "authorizer"],
  MODEL_API_KEY: ["codegen"],
  MODEL_API_KEY_ANTHROPIC: ["codegen"],
  MODEL_API_KEY_BEDROCK: ["codegen"],
  MODEL_API_KEY_OPENAI: ["codegen"],
  NEO4J_PASSWORD: ["indexing", "retrieval"],
};

const functionsOf = (template: Template) => resourcesOf<LambdaFunction>(template, "AWS::Lambda::Function");

export const functionRules: TemplateRule[] = [
  {
    says: "every function runs on arm64 and nodejs24.x, or as an image, within Lambda's time, traced",
    check: (template) =>
      functionsOf(template).flatMap(([id, one]) => [
        ...(one.Architectures?.join() === "arm64" ? [] : [`${id} is not arm64`]),
        ...(one.Runtime === "nodejs24.x" || one.PackageType === "Image" ? [] : [`${id} runs ${one.Runtime}`]),
        ...((one.Timeout ?? 3) <= TIMEOUT_SECONDS_MAX ? [] : [`${id} runs ${one.Timeout} s`]),
        ...(one.TracingConfig?.Mode === "Active" ? [] : [`${id} is not traced`]),
      ]),
    mutations: {
      "an old runtime": (template) => {
        properties(template, "GatewayLambdaFunction").Runtime = "nodejs20.x";
      },
      "another processor": (template) => delete properties(template, "SandboxLambdaFunction").Architectures,
    },
  },
  {
    says: "buildtest, coder and sandbox ship as an image, each with its command; all others as an object named by its content",
    check: (template) =>
      functionsOf(template).flatMap(([id, { Code, PackageType, ImageConfig, Handler }]) => {
        if (/^(Buildtest|Coder|Sandbox)/.test(id)) {
          const right = PackageType === "Image" && idIn(Code.ImageUri) === "WorkerImageUri";
          return right && /^functions\/\w+\/handler\.handler$/.test(ImageConfig?.Command?.join() ?? "")
            ? []
            : [id];
        }
        const keyed = /^code\/[a-z-]+-[0-9a-f]{20}\.zip$/.test(Code.S3Key ?? "");
        return keyed && idIn(Code.S3Bucket) === "CodeBucket" && Handler ? [] : [id];
      }),
    mutations: {
      "a dated key": (template) => {
        properties(template, "GatewayLambdaFunction").Code = {
          S3Bucket: { Ref: "CodeBucket" },
          S3Key: "2026-11-27/gateway.zip",
        };
      },
      "no command": (template) => delete properties(template, "SandboxLambdaFunction").ImageConfig,
    },
  },
  {
    says: "every log group has a retention, and every function and the API have a log group",
    check: (template) => {
      const groups = resourcesOf(template, "AWS::Logs::LogGroup");
      const names = groups.map(([, { LogGroupName }]) => LogGroupName);
      return [
        ...groups.flatMap(([id, { RetentionInDays }]) => (RetentionInDays ? [] : [`${id} is kept for ever`])),
        ...functionsOf(template).flatMap(([id, { FunctionName }]) =>
          names.includes(`/aws/lambda/${FunctionName}`) ? [] : [`${id} makes a log group of its own`],
        ),
        ...resourcesOf(template, "AWS::ApiGatewayV2::Stage").flatMap(([id, { AccessLogSettings }]) =>
          groups.some(([group]) => group === idIn((AccessLogSettings as Arn | undefined)?.DestinationArn))
            ? []
            : [`${id} has no access log`],
        ),
      ];
    },
    mutations: {
      "for ever": (template) => delete properties(template, "SweeperLogGroup").RetentionInDays,
      "no group": (template) => delete template.Resources.SweeperLogGroup,
      "no access log": (template) => delete properties(template, "HttpApiStage").AccessLogSettings,
    },
  },
  {
    says: "a secret is given only to the functions that need it",
    check: (template) =>
      functionsOf(template).flatMap(([id, { Environment }]) =>
        Object.entries(SECRETS).flatMap(([secret, needed_by]) => {
          const given = Environment.Variables[secret] !== undefined;
          const needed = needed_by.includes(String(Environment.Variables.SERVICE));
          return given === needed ? [] : [`${id} ${given ? "has" : "lacks"} ${secret}`];
        }),
      ),
    mutations: {
      "the sandbox knows the model's key": (template) => {
        const { Variables } = properties(template, "SandboxLambdaFunction")
          .Environment as LambdaFunction["Environment"];
        Variables.MODEL_API_KEY = "";
      },
    },
  },
];

interface Arn {
  DestinationArn: unknown;
}
