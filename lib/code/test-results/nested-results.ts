import { testCase } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

interface ResultLine {
  name: string;
  status: TestCase["status"];
  duration_ms: number | null;
  file: string | null;
  failure: string | null;
}

export interface NestedResult extends ResultLine {
  children: NestedResult[];
}

/**
 * The tests at the leaves, named by what contains them. A container is no test: it counts only when
 * it failed and nothing inside it did. Uses an explicit stack: the submitted work decides the depth.
 */
export function leafCases(roots: readonly NestedResult[]): TestCase[] {
  const cases: TestCase[] = [];
  const stack = roots.toReversed().map((result) => ({ result, names: [result.name], left: false }));
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { result, names, left } = entry;
    if (result.children.length > 0 && !left) {
      stack.push({ result, names, left: true });
      for (const child of result.children.toReversed()) {
        stack.push({ result: child, names: [...names.slice(-NAMES_MAX), child.name], left: false });
      }
    } else if (!left || failedByItself(result)) {
      cases.push(testCase({ ...result, names }));
    }
  }
  return cases;
}

const NAMES_MAX = 50;

function failedByItself(result: NestedResult): boolean {
  return result.status === "failed" && !result.children.some((child) => hasFailure(child));
}

function hasFailure(root: NestedResult): boolean {
  const stack = [root];
  for (let result = stack.pop(); result; result = stack.pop()) {
    if (result.status === "failed") return true;
    stack.push(...result.children);
  }
  return false;
}
