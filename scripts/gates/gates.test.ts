import { describe, expect, it } from "vitest";
import { closingLine, gateLine, runGates } from "./gates.ts";

const passing = { name: "calm", command: "echo quiet" };
const failing = { name: "storm", command: "echo thunder; echo rain >&2; exit 3", repair: "an umbrella" };

describe("runGates", () => {
  it("runs every gate, those after a failed one too, and keeps the given order", async () => {
    const ended: string[] = [];
    const results = await runGates([failing, passing], process.cwd(), 2, ({ gate }) => ended.push(gate.name));
    expect(results.map(({ gate, passed }) => [gate.name, passed])).toEqual([
      ["storm", false],
      ["calm", true],
    ]);
    expect(ended.toSorted()).toEqual(["calm", "storm"]);
  });

  it("counts a command that does not exist as failed and shows why", async () => {
    const [result] = await runGates([{ name: "x", command: "no-such-tool" }], process.cwd(), 1, () => {});
    expect(result?.passed).toBe(false);
    expect(result?.output).toContain("no-such-tool");
  });

  it("gives commands no input to wait for", async () => {
    const [result] = await runGates([{ name: "x", command: "cat" }], process.cwd(), 1, () => {});
    expect(result).toMatchObject({ passed: true, output: "" });
  });
});

describe("gateLine", () => {
  it("is one line for a gate that passed", () => {
    const line = gateLine({ gate: passing, passed: true, output: "quiet\n", duration_ms: 1234 });
    expect(line).toBe("passed  calm             1.2 s");
  });

  it("shows what a failed gate said, its command, and what repairs it", () => {
    const line = gateLine({ gate: failing, passed: false, output: "thunder\nrain\n", duration_ms: 10 });
    expect(line.split("\n")).toEqual([
      "FAILED  storm            0.0 s",
      `  $ ${failing.command}`,
      "  thunder",
      "  rain",
      "→ an umbrella",
    ]);
  });

  it("cuts long output to its end", () => {
    const output = Array.from({ length: 500 }, (_, line) => `line ${line}`).join("\n");
    const lines = gateLine({ gate: failing, passed: false, output, duration_ms: 1 }).split("\n");
    expect(lines).toContain("  … 300 lines");
    expect(lines).not.toContain("  line 299");
    expect(lines).toContain("  line 499");
  });
});

describe("closingLine", () => {
  const result = { output: "", duration_ms: 1 };
  it("counts what passed or names what failed", () => {
    expect(closingLine([{ gate: passing, passed: true, ...result }])).toBe("All 1 passed.");
    expect(closingLine([{ gate: failing, passed: false, ...result }])).toBe("Failed: storm.");
  });
});
