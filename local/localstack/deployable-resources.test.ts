import { describe, expect, it } from "vitest";
import { deployableResources } from "./deployable-resources.ts";

const resources = {
  Queue: { Type: "AWS::SQS::Queue", Properties: { QueueName: "queue" } },
  Bucket: { Type: "AWS::S3::Bucket" },
  Policy: { Type: "AWS::S3::BucketPolicy", Properties: { Bucket: { Ref: "Bucket" } } },
  Table: { Type: "AWS::DynamoDB::Table" },
  Role: { Type: "AWS::IAM::Role", Properties: { On: [{ "Fn::GetAtt": ["Table", "Arn"] }] } },
  Function: { Type: "AWS::Lambda::Function", Properties: { Role: { "Fn::GetAtt": "Role.Arn" } } },
  Alarm: { Type: "AWS::CloudWatch::Alarm", Properties: { On: { "Fn::GetAtt": ["Queue", "QueueName"] } } },
  FunctionAlarm: { Type: "AWS::CloudWatch::Alarm", Properties: { On: { "Fn::Sub": `x-\${Function}` } } },
  AboutAlarm: { Type: "AWS::CloudWatch::CompositeAlarm", Properties: { Rule: { Ref: "FunctionAlarm" } } },
  Late: { Type: "AWS::Logs::LogGroup", DependsOn: ["Function", "Queue"] },
};

const kept = (...elsewhere: string[]) => Object.keys(deployableResources(resources, elsewhere)).sort();

describe("deployableResources", () => {
  it("leaves out functions and everything that speaks of them, at any distance", () => {
    expect(kept()).toEqual(["Alarm", "Bucket", "Late", "Policy", "Queue", "Role", "Table"]);
  });

  it("leaves out what another server holds, and what speaks of that", () => {
    expect(kept("Table", "Bucket")).toEqual(["Alarm", "Late", "Queue"]);
  });

  it("keeps what only comes after one that is left out, without its order", () => {
    const { Late } = deployableResources(resources, []) as unknown as Record<
      string,
      { DependsOn?: string[] }
    >;
    expect(Late?.DependsOn).toEqual(["Queue"]);
  });
});
