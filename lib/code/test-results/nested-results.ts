import { testCase } from "#lib/code/test-results/test-case.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

export interface ResultLine {
  /** 0 at the top. */
  depth: number;
  name: string;
  status: TestCase["status"];
  duration_ms: number | null;
  file: string | null;
  failure: string | null;
}

interface Waiting extends ResultLine {
  children: Waiting[];
}

/**
 * Collects results of a reporter that prints a container after its tests, one level less deep.
 * A container is no test: it counts only when it failed and nothing inside it did.
 */
export function nestedResults() {
  const levels: Waiting[][] = [];
  return {
    /** Adds one result, which contains all deeper ones since the last of its depth. */
    add(line: ResultLine): void {
      const children = levels.splice(line.depth + 1).flat();
      for (let depth = levels.length; depth <= line.depth; depth++) levels.push([]);
      levels[line.depth]?.push({ ...line, children });
    },
    cases: (): TestCase[] => levels.flat().flatMap((result) => flatten(result)),
  };
}

/** An explicit stack: nesting is the submitted work's to choose. */
function flatten(root: Waiting): TestCase[] {
  const cases: TestCase[] = [];
  const stack: { result: Waiting; names: string[]; left: boolean }[] = [
    { result: root, names: [], left: false },
  ];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { result } = entry;
    const names = entry.left ? entry.names : [...entry.names, result.name];
    if (result.children.length > 0 && !entry.left) {
      stack.push({ result, names, left: true });
      for (const child of result.children.toReversed()) stack.push({ result: child, names, left: false });
    } else if (!entry.left || failedByItself(result)) {
      cases.push(testCase({ ...result, names }));
    }
  }
  return cases;
}

function failedByItself(result: Waiting): boolean {
  return result.status === "failed" && !result.children.some((child) => child.status === "failed");
}
