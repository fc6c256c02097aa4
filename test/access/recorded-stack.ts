import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Stack, startStack } from "../../local/stack.ts";
import type { RecordedCall } from "./accesses.ts";

export interface RecordedStack {
  stack: Stack;
  /** Every AWS call that functions have made so far. */
  calls(): RecordedCall[];
  stop(): Promise<void>;
}

/** A local stack that writes down which function makes which AWS call. */
export async function recordedStack(env: Record<string, string>): Promise<RecordedStack> {
  const directory = mkdtempSync(join(tmpdir(), "aws-calls-"));
  const recorder = resolve("test/access/record-aws-calls.ts");
  const stack = await startStack({
    env: { ...env, AWS_CALLS_DIRECTORY: directory, NODE_OPTIONS: `--import=${recorder}` },
  });
  return {
    stack,
    calls: () =>
      readdirSync(directory).flatMap((file) =>
        readFileSync(join(directory, file), "utf8")
          .split("\n")
          .slice(0, -1) // the last line may still be written
          .map((line) => JSON.parse(line) as RecordedCall),
      ),
    async stop() {
      await stack.stop();
      rmSync(stack.data_dir, { recursive: true, force: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
