import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

export interface RunResult {
  passed: boolean;
  /** stdout and stderr in the order they came, cut at about a million characters. */
  output: string;
  duration_ms: number;
}

const OUTPUT_CHARACTERS_MAX = 1024 * 1024;

/**
 * Runs one shell command line in `directory`, without input and with the project's own tools first
 * on the path, and waits for its end. A command that cannot be started counts as failed, with the
 * reason as its output.
 */
export function run(command: string, directory: string): Promise<RunResult> {
  const started = performance.now();
  return new Promise((done) => {
    let output = "";
    const child = spawn(command, {
      cwd: directory,
      env: { ...process.env, PATH: [join(directory, "node_modules/.bin"), process.env.PATH].join(delimiter) },
      shell: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const collect = (chunk: Buffer) => {
      if (output.length < OUTPUT_CHARACTERS_MAX) output += chunk.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const end = (passed: boolean) => done({ passed, output, duration_ms: performance.now() - started });
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}
