import { rmSync } from "node:fs";
import { inject } from "vitest";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient } from "../e2e/client.ts";

export interface Stage {
  stack: Stack;
  api: ApiClient;
  end(): Promise<void>;
}

/** A part that the lane started. */
export function part(name: "localstack" | "dynamodb") {
  const found = inject("parts").find((started) => started.name === name);
  if (!found) throw new Error(`the lane started no ${name}`);
  return found;
}

/** `STAGE=localstack npm start` against the lane's servers, or others for some services. */
export async function startStage(others: Record<string, string> = {}): Promise<Stage> {
  const stack = await startStack({
    env: {
      STAGE: "localstack",
      AWS_ENDPOINT_URL: part("localstack").endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: part("dynamodb").endpoint,
      ...others,
    },
  });
  return {
    stack,
    api: developmentClient(stack.url, stack.data_dir),
    async end() {
      await stack.stop();
      rmSync(stack.data_dir, { recursive: true, force: true });
    },
  };
}
