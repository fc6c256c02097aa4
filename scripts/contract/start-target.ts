import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOST_PARTS } from "../../local/host/parts.ts";
import { runParts } from "../../local/host/run-parts.ts";
import { anyFreePort } from "../../local/ports.ts";
import type { TargetName } from "../../test/contract/difference.ts";

export interface StartedTarget {
  /** Where it listens; undefined when the tests start it themselves. */
  endpoint: string | undefined;
  stop(): Promise<void>;
}

/** The part of host mode that is this target. */
const PARTS = { localstack: "localstack", moto: "dynamodb" } as const;

/** The target, serving. @throws with what to do when it cannot be started */
export async function startTarget(target: TargetName): Promise<StartedTarget> {
  const nothing = async () => undefined;
  switch (target) {
    case "embedded":
    case "simulation":
      return { endpoint: undefined, stop: nothing };
    case "dynamodb-local": {
      const endpoint = process.env.DYNAMODB_LOCAL_URL;
      if (!endpoint)
        throw new Error("start it yourself, for its licence is yours to accept, and set DYNAMODB_LOCAL_URL");
      return { endpoint, stop: nothing };
    }
    case "localstack":
    case "moto":
      return await startPart(PARTS[target]);
  }
}

async function startPart(name: string): Promise<StartedTarget> {
  process.env.S3_SKIP_SIGNATURE_VALIDATION = "0";
  const directory = mkdtempSync(join(tmpdir(), `contract-${name}-`));
  const forget = () => rmSync(directory, { recursive: true, force: true });
  const ports = { [name]: await anyFreePort() };
  const parts = HOST_PARTS.filter((part) => part.name === name);
  const running = await runParts(parts, { directory, ports, tell: (line) => console.error(line) }).catch(
    (error) => {
      forget();
      throw error;
    },
  );
  return {
    endpoint: running.parts[0]?.endpoint,
    async stop() {
      await running.stop();
      forget();
    },
  };
}
