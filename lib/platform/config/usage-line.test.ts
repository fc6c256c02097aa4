import { describe, expect, it } from "vitest";
import { readUsageLines, usageLineFaults } from "#lib/platform/config/usage-line.ts";

const AIDER = [
  "Tokens: {input_tokens} sent, {output_tokens} received.{*}Cost: \u0024{usd} message",
  "Tokens: {input_tokens} sent, {cached_input_tokens} cache hit, {output_tokens} received.",
];

describe("a form of a line that states use", () => {
  it("adds up every place where it matches", () => {
    const text =
      "Tokens: 2.5k sent, 30 received. Cost: $0.0125 message, $0.01 session.\nmore\n" +
      "Tokens: 1,200 sent, 1M received. Cost: $1.5e-05 message, $0.02 session.\r\n";
    expect(readUsageLines(text, AIDER)).toEqual({
      ...{ input_tokens: 3700, output_tokens: 1_000_030, usd: 0.0125 + 0.000015 },
    });
  });

  it("may be one of several, and may match more than once in a line", () => {
    expect(readUsageLines("Tokens: 10 sent, 4 cache hit, 3 received.", AIDER)).toEqual({
      ...{ input_tokens: 10, cached_input_tokens: 4, output_tokens: 3 },
    });
    const json = '{"t":{"input":10,"x":1,"output":2}} {"t":{"input":5,"output":1}}';
    expect(readUsageLines(json, ['"input":{input_tokens},{*}"output":{output_tokens}'])).toEqual({
      ...{ input_tokens: 15, output_tokens: 3 },
    });
  });

  it("takes nothing that does not match whole, within one line and a short way", () => {
    for (const text of [
      "Tokens: many sent, 30 received. Cost: $1 message",
      "Tokens: -5 sent, 30 received. Cost: $1 message",
      "Tokens: 5 sent,\n30 received. Cost: $1 message",
      `Tokens: 5 sent, 30 received.${" ".repeat(300)}Cost: $1 message`,
      "",
    ]) {
      expect(readUsageLines(text, AIDER), text).toBeUndefined();
    }
  });

  it("reads no number as more than could be", () => {
    expect(readUsageLines("used 9e99 tokens", ["used {tokens} tokens"])).toEqual({ tokens: 1e12 });
  });

  it("is searched in linear time, whatever the agent prints", () => {
    const hostile = "Tokens: 1 sent, 1 received.".repeat(100_000);
    expect(readUsageLines(hostile, AIDER)).toBeUndefined();
    expect(readUsageLines("a".repeat(3_000_000), ["a{*}a{*}b{tokens}"])).toBeUndefined();
  });

  it("is refused when it cannot be searched for, with what is wrong", () => {
    const faults = (form: string) => usageLineFaults(form).join("; ");
    expect(faults("{tokens} used")).toContain("begin with a text");
    expect(faults("used {all}")).toContain("{all}");
    expect(faults("used {*} tokens")).toContain("names no number");
    expect(faults("used {tokens}{usd}")).toContain("two placeholders");
    expect(AIDER.flatMap(usageLineFaults)).toEqual([]);
  });
});
