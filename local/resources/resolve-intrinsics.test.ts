import { describe, expect, it } from "vitest";
import { resolveIntrinsics } from "./resolve-intrinsics.ts";

const lookup = (logical_id: string) =>
  logical_id === "Queue"
    ? { ref: "http://127.0.0.1/queue", attributes: { Arn: "arn:queue", QueueName: "queue" } }
    : undefined;

describe("resolveIntrinsics", () => {
  it("resolves Ref, GetAtt, Sub and Join at any depth and leaves plain values alone", () => {
    expect(
      resolveIntrinsics(
        {
          url: { Ref: "Queue" },
          arns: [{ "Fn::GetAtt": ["Queue", "Arn"] }, { "Fn::GetAtt": "Queue.Arn" }],
          sub: { "Fn::Sub": `\${Queue.Arn}/*` },
          join: { "Fn::Join": [":", ["a", { Ref: "Queue" }]] },
          number: 6,
          nothing: null,
        },
        lookup,
      ),
    ).toEqual({
      url: "http://127.0.0.1/queue",
      arns: ["arn:queue", "arn:queue"],
      sub: "arn:queue/*",
      join: "a:http://127.0.0.1/queue",
      number: 6,
      nothing: null,
    });
  });

  it("says which resource, attribute or function it does not know", () => {
    expect(() => resolveIntrinsics({ Ref: "Topic" }, lookup)).toThrow("Topic");
    expect(() => resolveIntrinsics({ "Fn::GetAtt": ["Queue", "Age"] }, lookup)).toThrow("Age");
    expect(() => resolveIntrinsics({ "Fn::ImportValue": "x" }, lookup)).toThrow("Fn::ImportValue");
  });
});
