import type { z } from "zod";
import type { Submission } from "#schemas/messages/submission.ts";

/** One task, and how it must end whatever is done to the stack. */
export interface PlannedTask {
  kind: string;
  tenant: string;
  idempotency_key: string;
  submission: z.input<typeof Submission>;
  expected: {
    status: "succeeded" | "failed";
    code?: string;
    /** `step#round verdict`, in order. */
    steps: string[];
  };
}

type Plan = Omit<PlannedTask, "tenant" | "idempotency_key">;

/** Its text is the same in all tasks of a kind but for the number, so that no two share a blob. */
type Kind = { share: number; plan: (number: number) => Plan };

/** A test that takes no time, so that the kills fall on all that is around it too. */
const TEST =
  "echo TAP version 13; echo 1..1; if grep -q 'a [+] b' add.js; then echo ok 1 - adds; else echo not ok 1 - adds; exit 1; fi";

function tinySource(number: number, operator: "+" | "-") {
  return {
    kind: "inline" as const,
    files: {
      "add.js": `// ${number}\nexport const add = (a, b) => a ${operator} b;\n`,
    },
  };
}

function diff(number: number, before: string, after: string): string {
  const line = (operator: string) => `export const add = (a, b) => a ${operator} b;`;
  return `--- a/add.js\n+++ b/add.js\n@@ -1,2 +1,2 @@\n // ${number}\n-${line(before)}\n+${line(after)}\n`;
}

function change(number: number, diffs: [string, ...string[]], steps: string[], code?: string): Plan {
  const [first, ...fallback_diffs] = diffs;
  return {
    kind: code ? "change that fails" : diffs.length > 1 ? "change with repair" : "change",
    submission: {
      workflow: "change",
      source: tinySource(number, "-"),
      change: { kind: "patch", diff: first, ...(fallback_diffs.length > 0 && { fallback_diffs }) },
      test: TEST,
      repository: `chaos-${number % 5}`,
    },
    expected: { status: code ? "failed" : "succeeded", ...(code && { code }), steps },
  };
}

function run(kind: string, command: string, code?: string): (number: number) => Plan {
  return (number) => ({
    kind,
    submission: {
      workflow: "run",
      source: { kind: "inline", files: { "number.txt": `${number}\n` } },
      command,
    },
    expected: {
      status: code ? "failed" : "succeeded",
      ...(code && { code }),
      steps: [`run#0 ${code ? "failed" : "passed"}`],
    },
  });
}

function buildtest(operator: "+" | "-"): (number: number) => Plan {
  const passes = operator === "+";
  return (number) => ({
    kind: passes ? "buildtest" : "buildtest that fails",
    submission: { workflow: "buildtest", source: tinySource(number, operator), build: "true", test: TEST },
    expected: {
      status: passes ? "succeeded" : "failed",
      ...(!passes && { code: "TESTS_FAILED" }),
      steps: [`buildtest#0 ${passes ? "passed" : "failed"}`],
    },
  });
}

const KINDS: Kind[] = [
  { share: 0.4, plan: run("run", "cat number.txt") },
  { share: 0.12, plan: run("run for seconds", "sleep 2; cat number.txt") },
  { share: 0.08, plan: run("run that fails", "exit 3", "COMMAND_FAILED") },
  { share: 0.16, plan: buildtest("+") },
  { share: 0.06, plan: buildtest("-") },
  {
    share: 0.1,
    plan: (number) =>
      change(
        number,
        [diff(number, "-", "+")],
        ["index#0 passed", "codegen#0 passed", "buildtest#0 passed", "index_result#0 passed"],
      ),
  },
  {
    share: 0.04,
    plan: (number) =>
      change(
        number,
        [diff(number, "-", "*"), diff(number, "-", "+")],
        [
          "index#0 passed",
          "codegen#0 passed",
          "buildtest#0 failed",
          "codegen#1 passed",
          "buildtest#1 passed",
          "index_result#0 passed",
        ],
      ),
  },
  {
    share: 0.04,
    plan: (number) =>
      change(number, [diff(number, "/", "+")], ["index#0 passed", "codegen#0 failed"], "DIFF_DOES_NOT_APPLY"),
  },
];

/** `count` tasks of mixed kinds and tenants, the same for the same randomness. */
export function planTasks(count: number, tenants: string[], random: () => number): PlannedTask[] {
  return Array.from({ length: count }, (_, number) => {
    const tenant = tenants[Math.floor(random() * tenants.length)] ?? "";
    const idempotency_key = `chaos-${number}`;
    return { ...pickKind(random()).plan(number), tenant, idempotency_key };
  });
}

function pickKind(at: number): Kind {
  let sum = 0;
  for (const kind of KINDS) {
    sum += kind.share;
    if (at < sum) return kind;
  }
  return KINDS[0] as Kind;
}
