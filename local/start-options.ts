import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_HTTP_PORT } from "./default-http-port.ts";

const STAGES = ["local", "localstack"] as const;

export interface StartOptions {
  /** `local`: everything in this process. `localstack`: against LocalStack, or what AWS_ENDPOINT_URL names. */
  stage: (typeof STAGES)[number];
  port: number;
  data_directory: string;
  /** Where serverless.yml is. */
  service_directory: string;
  verbose: boolean;
  help: boolean;
}

export const HELP = `Starts the whole system on this machine: HTTP API, queues, table, bucket, agents.

  npm start -- [options]

  --port <n>         HTTP port (PORT; default ${DEFAULT_HTTP_PORT})
  --data-dir <path>  where tasks and artifacts are kept (LOCAL_DATA_DIR; default .local,
                     or .local/localstack with STAGE=localstack)
  --service <path>   the folder with serverless.yml (default: here)
  --verbose          log to the terminal instead of <data dir>/stack.log
  --help             this text

STAGE=localstack npm start runs the same functions against LocalStack: docs/guides/localstack.md.
Ports of the emulators follow the HTTP port where free (+2 SQS and S3, +3 DynamoDB);
LOCAL_SQS_S3_PORT and LOCAL_DYNAMODB_PORT fix them. LOCAL_LAMBDA_PORT opens one that invokes functions as
AWS Lambda does, without a key: for tests only. LOCAL_WARM_EMBEDDER=no loads the embedding model only when
something is indexed or asked. Stop with Ctrl-C.
`;

/** @throws with a sentence for the person at the keyboard. */
export function startOptions(
  argv: string[],
  environment: Record<string, string | undefined>,
  directory: string,
): StartOptions {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: "string" },
      "data-dir": { type: "string" },
      service: { type: "string" },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const port_text = values.port ?? environment.PORT ?? String(DEFAULT_HTTP_PORT);
  const port = Number(port_text);
  if (!/^\d+$/.test(port_text) || port < 1 || port > 65_535) {
    throw new Error(`The port must be a number from 1 to 65535, not "${port_text}".`);
  }
  const stage = STAGES.find((known) => known === (environment.STAGE || "local"));
  if (stage === undefined) {
    throw new Error(`npm start runs the stages ${STAGES.join(" and ")}, not STAGE=${environment.STAGE}.`);
  }
  const data_default = stage === "local" ? ".local" : `.local/${stage}`;
  const service_directory = resolve(directory, values.service ?? ".");
  return {
    stage,
    port,
    service_directory,
    data_directory: resolve(directory, values["data-dir"] ?? environment.LOCAL_DATA_DIR ?? data_default),
    verbose: values.verbose,
    help: values.help,
  };
}
