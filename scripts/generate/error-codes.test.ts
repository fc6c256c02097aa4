import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { collectErrorCodes } from "./error-codes.ts";
import { ambiguousCodes, errorsPage } from "./errors-page.ts";

const FAULTS = `
export abstract class Fault extends Error { abstract readonly disposition: Disposition; }
export class TerminalFault extends Fault { readonly disposition = "terminal"; }
export class ParkedFault extends Fault { readonly disposition = "park"; }
`;

function codesIn(source: string) {
  return collectErrorCodes(memoryTree({ "lib/platform/errors/fault.ts": FAULTS, "lib/x/x.ts": source }));
}

describe("collectErrorCodes", () => {
  it("finds a thrown fault with its sentence and disposition", () => {
    const codes = codesIn(
      `throw new TerminalFault("BLOB_CORRUPT", \`Blob \${blob.key} is not \` + "what it was.");`,
    );
    expect([...codes]).toEqual([
      [
        "BLOB_CORRUPT",
        [{ file: "lib/x/x.ts", sentence: "Blob <key> is not what it was.", disposition: "terminal" }],
      ],
    ]);
  });

  it("knows the disposition of a subclass and the code it passes up", () => {
    const codes = codesIn(`
      class LeaseHeld extends ParkedFault { constructor() { super("LEASE_HELD", "Someone else has it."); } }
    `);
    expect(codes.get("LEASE_HELD")).toEqual([
      { file: "lib/x/x.ts", sentence: "Someone else has it.", disposition: "park" },
    ]);
  });

  it("finds codes of answers, in objects and in calls", () => {
    const codes = codesIn(`
      return problem(404, "TASK_UNKNOWN", "No such task.");
      const report = { code: late ? "TESTS_LATE" : "TESTS_FAILED", reason: "Not all passed." };
    `);
    expect([...codes.keys()]).toEqual(["TASK_UNKNOWN", "TESTS_FAILED", "TESTS_LATE"]);
    expect(codes.get("TESTS_LATE")?.[0]?.sentence).toBe("Not all passed.");
  });

  it("reads a sentence from the constant declared last before, and else from the class's docstring", () => {
    const codes = codesIn(`
      const message = "Not this one.";
      function f() { const said = \`\${parts.join(", ")} is bad\`; throw new CliError(2, "PART_BAD", \`\${said}.\`); }
      /** Nothing can be isolated here. */
      export class NoSandbox extends TerminalFault { constructor(text: string) { super("NO_SANDBOX", text); } }
    `);
    expect(codes.get("PART_BAD")?.[0]?.sentence).toBe("<parts> is bad.");
    expect(codes.get("NO_SANDBOX")?.[0]).toMatchObject({
      sentence: "Nothing can be isolated here.",
      disposition: "terminal",
    });
  });

  it("finds the code that stands in for an absent one", () => {
    expect([...codesIn('const error = { code: given ?? "STEP_FAILED", message: "No." };').keys()]).toEqual([
      "STEP_FAILED",
    ]);
  });

  it("passes over log lines, other constants and tests", () => {
    const tree = memoryTree({
      "lib/x/x.ts": `
        log.info("STEP_CLAIMED", "A step was claimed.");
        context.log.warn("STEP_SLOW", "Slow.");
        log.with({}).error("STEP_LOST", "Lost.");
        log[level]("STEP_RETURNS", "Returns.");
        send("GET", "hello"); use("NODE_ENV");
      `,
      "lib/x/x.test.ts": 'throw new TerminalFault("ONLY_TESTED", "x");',
    });
    expect([...collectErrorCodes(tree).keys()]).toEqual([]);
  });
});

describe("ambiguousCodes", () => {
  it("reports a code with two dispositions and lets one repeated code pass", () => {
    const twice = codesIn(`
      throw new TerminalFault("SAME_THING", "a"); throw new TerminalFault("SAME_THING", "b");
      throw new TerminalFault("OTHER_THING", "a"); throw new ParkedFault("OTHER_THING", "b");
    `);
    expect(ambiguousCodes(twice).map(({ name }) => name)).toEqual(["OTHER_THING"]);
  });
});

describe("errorsPage", () => {
  it("gives each code one row that links to its source", () => {
    expect(errorsPage(codesIn(`throw new TerminalFault("TOO_BIG", \`Over \${limit}.\`);`))).toContain(
      "| `TOO_BIG` | terminal | Over &lt;limit&gt;. | [lib/x/x.ts](../../lib/x/x.ts) |",
    );
  });
});
