import { existsSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { visible } from "../cli/render/visible.ts";
import { buildConsole } from "../scripts/build/build-console.ts";
import { banner } from "./banner.ts";
import { makeDirectory } from "./data-directory.ts";
import type { Ready } from "./local-stack.ts";
import { isFree } from "./ports.ts";
import { SMALL_HEAP } from "./small-heap.ts";
import { stageEnvironment } from "./stage-environment.ts";
import { HELP, type StartOptions, startOptions } from "./start-options.ts";
import { stopWithNpm } from "./stop-with-npm.ts";

type ChildMessage = ({ type: "ready" } & Ready) | { type: "failed"; message: string };

const PORT_WAIT_MS = 3_000;
const STOP_MS = 30_000;
const LAST_LINES = 8;
const LOG_BYTES_MAX = 32 * 1024 * 1024;
/** Where Node keeps compiled code, beside the code itself: it saves a fifth of the work of a start. */
const compile_cache = fileURLToPath(new URL("../node_modules/.cache/node-compile-cache", import.meta.url));

/** Runs `serverless offline` with the local stack until told to stop; answers the exit code. */
async function start(options: StartOptions): Promise<number> {
  if (!(await becomesFree(options.port))) {
    console.error(
      `Port ${options.port} is in use. Stop what listens there, or choose another: npm start -- --port ${options.port + 100}`,
    );
    return 1;
  }
  if (!existsSync(join(options.service_directory, "serverless.yml"))) {
    console.error(
      `There is no serverless.yml in ${options.service_directory}: start in the repository, or name its folder with --service.`,
    );
    return 1;
  }
  const stage_environment = await stageEnvironment(options, process.env);
  makeDirectory(options.data_directory);
  await buildConsole(options.service_directory);
  const log_file = join(options.data_directory, "stack.log");
  const child = spawnServerless(options, stage_environment, log_file);
  let ready = false;
  let told = false;
  let stopped = false;
  const stop = () => {
    if (stopped) return void child.kill("SIGKILL"); // asked twice
    stopped = true;
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), STOP_MS).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  process.on("disconnect", stop);
  if (!process.send) stopWithNpm(stop);
  child.on("message", (message: ChildMessage) => {
    if (message.type === "failed") {
      told = true;
      console.error(message.message);
    } else {
      ready = true;
      console.log(banner(message, log_file));
      process.send?.(message);
    }
  });
  const code = await new Promise<number>((resolve) => {
    child.on("close", (exit_code, signal) => resolve(exit_code ?? (signal === "SIGTERM" ? 0 : 1)));
  });
  if (stopped && code === 0) return 0;
  if (!told) {
    if (!ready && !options.verbose) console.error(lastWords(log_file));
    console.error(
      `The stack ${ready ? "ended unexpectedly" : "did not start"} (exit ${code}). See ${log_file}`,
    );
  }
  return 1;
}

/** A stack that was just killed may take a moment to let go of its port. */
async function becomesFree(port: number): Promise<boolean> {
  const gives_up_at = performance.now() + PORT_WAIT_MS;
  while (!(await isFree(port))) {
    if (performance.now() > gives_up_at) return false;
    await delay(100);
  }
  return true;
}

function spawnServerless(options: StartOptions, stage_environment: Record<string, string>, log_file: string) {
  const cli = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");
  const log = options.verbose ? undefined : openLog(log_file);
  const output = log === undefined ? "inherit" : "pipe";
  const child = spawnProgram(
    process.execPath,
    [SMALL_HEAP, cli, "offline", "--noSponsor", "--stage", options.stage],
    {
      cwd: options.service_directory,
      stdio: ["ignore", output, output, "ipc"],
      env: {
        ...process.env,
        ...stage_environment,
        PORT: String(options.port),
        LOCAL_DATA_DIR: options.data_directory,
        NODE_COMPILE_CACHE: compile_cache,
        NODE_NO_WARNINGS: "1",
      },
    },
  );
  if (log !== undefined) for (const stream of [child.stdout, child.stderr]) stream?.on("data", logTo(log));
  return child;
}

/** Loses what the disk has no room for: a process whose own output fails answers nobody any more. */
function logTo(log: number): (part: Buffer) => void {
  return (part) => {
    try {
      writeSync(log, part);
    } catch {
      // There is nowhere to tell it.
    }
  };
}

function lastWords(log_file: string): string {
  return visible(readFileSync(log_file, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n"));
}

function openLog(log_file: string): number {
  try {
    const { size = 0 } = statSync(log_file, { throwIfNoEntry: false }) ?? {};
    if (size > LOG_BYTES_MAX) renameSync(log_file, `${log_file}.1`);
    return openSync(log_file, "a");
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new Error(
      `${log_file} cannot be written (${reason}). Delete it, or log to the terminal: --verbose.`,
      {
        cause,
      },
    );
  }
}

try {
  const options = startOptions(process.argv.slice(2), process.env, process.cwd());
  if (options.help) process.stdout.write(HELP);
  else process.exit(await start(options));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
