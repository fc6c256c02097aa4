import { describe, expect, it } from "vitest";
import { attachCode } from "./attach-code.ts";
import type { Template } from "./template.ts";

const lambda = (SERVICE: string) => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    Code: { S3Bucket: "code", S3Key: "2026/package.json" },
    Handler: `functions/${SERVICE}/handler.handler`,
    Runtime: "nodejs24.x",
    Environment: { Variables: { SERVICE } },
    Role: { "Fn::GetAtt": ["Role", "Arn"] },
  },
  DependsOn: ["Role", "Group"],
});
const template: Template = {
  Resources: { A: lambda("a"), B: lambda("b"), Q: { Type: "AWS::SQS::Queue" } },
  Outputs: { ServerlessDeploymentBucketName: {}, Url: {} },
};

describe("attachCode", () => {
  it("gives one function its object and the other its image, and takes what the framework put there", () => {
    const made = attachCode(
      template,
      new Map([
        ["a", { kind: "zip", key: "code/a-1.zip" }],
        ["b", { kind: "image", parameter: "WorkerImageUri" }],
      ] as const),
    );
    expect(made.Resources.A?.Properties).toMatchObject({
      Code: { S3Bucket: { Ref: "CodeBucket" }, S3Key: "code/a-1.zip" },
      Runtime: "nodejs24.x",
    });
    const { Properties } = made.Resources.B ?? {};
    expect(Properties).toMatchObject({
      Code: { ImageUri: { Ref: "WorkerImageUri" } },
      PackageType: "Image",
      ImageConfig: { Command: ["functions/b/handler.handler"] },
    });
    expect(Object.keys(Properties ?? {})).not.toEqual(expect.arrayContaining(["Runtime"]));
    expect(Object.keys(Properties ?? {})).not.toEqual(expect.arrayContaining(["Handler"]));
    expect(Object.keys(made.Parameters ?? {})).toEqual(["CodeBucket", "WorkerImageUri"]);
    expect(Object.keys(made.Outputs ?? {})).toEqual(["Url"]);
    expect(made.Resources.Q).toEqual({ Type: "AWS::SQS::Queue" });
  });

  it("leaves out only the orders that a reference implies", () => {
    const code = new Map([
      ["a", { kind: "zip", key: "code/a.zip" }],
      ["b", { kind: "zip", key: "code/b.zip" }],
    ] as const);
    expect(attachCode(template, code).Resources.A?.DependsOn).toEqual(["Group"]);
  });

  it("leaves no function without code", () => {
    expect(() => attachCode(template, new Map())).toThrow("A (SERVICE: a) has no code");
  });
});
