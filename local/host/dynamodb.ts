import { emulatorPython, pythonComplaints, pythonScript } from "./emulator-python.ts";
import type { HostPart } from "./part.ts";
import { startServer } from "./start-server.ts";

const TITLE = "DynamoDB of moto 5.1";
const ANSWER_MS_MAX = 5_000;

/**
 * The table, by moto, which LocalStack is built on: a server of its own, so that it outlives a LocalStack that is
 * killed. DynamoDB Local is not used: docs/decisions/0017-host-mode.md. Its state is in memory.
 */
export const dynamodb: HostPart = {
  name: "dynamodb",
  title: TITLE,
  port_default: 8000,
  tools: [],
  complaints: pythonComplaints,
  install: async (progress) => void (await emulatorPython(progress)),
  async start(options) {
    const endpoint = `http://127.0.0.1:${options.port}`;
    const server = await startServer(
      {
        title: TITLE,
        command: await emulatorPython(),
        arguments: [pythonScript("run_dynamodb.py"), String(options.port)],
        environment: { MOTO_ACCOUNT_ID: "000000000000" }, // the one LocalStack has
        isReady: () => listsTables(endpoint),
        ready_seconds_max: 120,
        stop_seconds_max: 10,
      },
      options,
    );
    return { ...server, endpoint, environment: { AWS_ENDPOINT_URL_DYNAMODB: endpoint } };
  },
};

async function listsTables(endpoint: string): Promise<boolean> {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables" },
    body: "{}",
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  return answer.ok;
}
