import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FAKE_KEY } from "./fake-api.ts";

const LAUNCHER = fileURLToPath(new URL("../../cli/agents.mjs", import.meta.url));

/** Loaded first, so that whatever asks finds a terminal 200 columns wide. */
const ON_TERMINAL = [
  "--import",
  "data:text/javascript,for (const stream of [process.stdout, process.stderr]) Object.assign(stream, { isTTY: true, columns: 200 })",
];

export interface CliRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  url?: string;
  key?: string;
  cwd?: string;
  /** The Node to run it with; the one running the tests when absent. */
  node?: string;
  /** Beyond where the API is. */
  environment?: Record<string, string>;
  /** Make it believe that it writes to a terminal. */
  terminal?: boolean;
  /** Called with all output so far, whenever there is more. */
  onOutput?: (output: string, child: ChildProcess) => void;
}

/** Run the real command line as a child process, as a shell would, with nothing but PATH in its environment. */
export function runCli(words: string[], options: CliOptions = {}): Promise<CliRun> {
  const { url, key = FAKE_KEY, node = process.execPath, onOutput } = options;
  const env = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    ...(url && { AGENTS_URL: url, AGENTS_KEY: key }),
    ...options.environment,
  };
  const child = spawn(node, [...(options.terminal ? ON_TERMINAL : []), LAUNCHER, ...words], {
    env,
    cwd: options.cwd ?? "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part) => {
    stdout += part;
    onOutput?.(stdout + stderr, child);
  });
  child.stderr.on("data", (part) => {
    stderr += part;
    onOutput?.(stdout + stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
