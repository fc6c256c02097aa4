import { join } from "node:path";
import { emulatorPython, pythonComplaints, pythonScript } from "./emulator-python.ts";
import type { HostPart } from "./part.ts";
import { startServer } from "./start-server.ts";

const TITLE = "LocalStack 4.14.0";
const SERVICES = ["cloudformation", "cloudwatch", "iam", "logs", "s3", "secretsmanager", "sns", "sqs", "sts"];
const READY_SECONDS_MAX = 180; // on a slow machine its first start compiles all of its modules
const ANSWER_MS_MAX = 5_000;

/** SQS, S3 and what the template needs beside them. Its state is in memory: a restart begins empty. */
export const localstack: HostPart = {
  name: "localstack",
  title: `${TITLE} (${SERVICES.join(", ")})`,
  port_default: 4566,
  tools: [],
  complaints: pythonComplaints,
  install: async (progress) => void (await emulatorPython(progress)),
  async start(options) {
    const address = `127.0.0.1:${options.port}`;
    const endpoint = `http://${address}`;
    const server = await startServer(
      {
        title: TITLE,
        command: await emulatorPython(),
        arguments: [pythonScript("run_localstack.py")],
        environment: {
          GATEWAY_LISTEN: address,
          LOCALSTACK_HOST: address,
          FILESYSTEM_ROOT: join(options.data_directory, "files"),
          SERVICES: SERVICES.join(","),
          EAGER_SERVICE_LOADING: "1", // ready then means ready
          STRICT_SERVICE_LOADING: "0", // any other service starts when first asked
          SQS_ENDPOINT_STRATEGY: "path", // queue URLs with the address that clients use
          DNS_ADDRESS: "0",
          DISABLE_EVENTS: "1", // tells its maker nothing
          SKIP_SSL_CERT_DOWNLOAD: "1",
          // "0" holds presigned URLs to their signature, which it makes with the secret key `test`.
          S3_SKIP_SIGNATURE_VALIDATION: process.env.S3_SKIP_SIGNATURE_VALIDATION ?? "1",
        },
        isReady: () => isHealthy(endpoint),
        ready_seconds_max: READY_SECONDS_MAX,
        stop_seconds_max: 20,
      },
      options,
    );
    return { ...server, endpoint, environment: { AWS_ENDPOINT_URL: endpoint } };
  },
};

async function isHealthy(endpoint: string): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const answer = await fetch(`${endpoint}/_localstack/health`, { signal });
  const { services } = (await answer.json()) as { services: Record<string, string> };
  const broken = SERVICES.filter((name) => services[name] === "error");
  return (
    broken.length === 0 && SERVICES.every((name) => ["running", "available"].includes(services[name] ?? ""))
  );
}
