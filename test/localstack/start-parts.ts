import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { dynamodb } from "../../local/host/dynamodb.ts";
import { localstack } from "../../local/host/localstack.ts";
import { runParts } from "../../local/host/run-parts.ts";
import { anyFreePort } from "../../local/ports.ts";

declare module "vitest" {
  interface ProvidedContext {
    parts: { name: string; endpoint: string; pid: number }[];
  }
}

/** LocalStack and the table, as `npm run stack:host` runs them, for every test of the lane. */
export default async function startParts(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "localstack-"));
  const ports = { localstack: await anyFreePort(), dynamodb: await anyFreePort() };
  const tell = (line: string) => console.log(line);
  const running = await runParts([localstack, dynamodb], { directory, ports, tell });
  project.provide("parts", running.parts);
  return async () => {
    await running.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}
