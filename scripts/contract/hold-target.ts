import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TargetName } from "../../test/contract/difference.ts";
import { startTarget } from "./start-target.ts";

export interface Held {
  passed_tests: number;
  /** At least one when the target did not start or the tests did not run. */
  failed_tests: number;
  /** Why there are no tests to count. */
  reason?: string;
}

/** Which tests a target has services for; all of them where none is named. */
const FOLDERS: Partial<Record<TargetName, string[]>> = {
  localstack: ["test/contract/sqs", "test/contract/s3"],
  moto: ["test/contract/dynamodb"],
  "dynamodb-local": ["test/contract/dynamodb"],
};

/** Starts a target, runs the contract's tests against it, and stops it. */
export async function holdTarget(target: TargetName): Promise<Held> {
  try {
    const started = await startTarget(target);
    try {
      return await runTests(target, started.endpoint);
    } finally {
      await started.stop();
    }
  } catch (error) {
    return {
      passed_tests: 0,
      failed_tests: 1,
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

async function runTests(target: TargetName, endpoint: string | undefined): Promise<Held> {
  const directory = mkdtempSync(join(tmpdir(), "contract-"));
  const report = join(directory, "report.json");
  try {
    const vitest = spawn(
      "vitest",
      [
        ...["run", "--project", target === "simulation" ? "contract-simulation" : "contract"],
        ...["--reporter", "default", "--reporter", "json", "--outputFile.json", report],
        ...(FOLDERS[target] ?? []),
      ],
      {
        stdio: "inherit",
        env: { ...process.env, CONTRACT_TARGET: target, ...(endpoint && { CONTRACT_ENDPOINT: endpoint }) },
      },
    );
    const [code] = await once(vitest, "close");
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    if (numPassedTests + numFailedTests === 0) throw new Error("no test ran");
    // A file that cannot be collected fails the run without a failed test.
    return { passed_tests: numPassedTests, failed_tests: Math.max(numFailedTests, code === 0 ? 0 : 1) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
