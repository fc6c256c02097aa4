import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostHelp, hostOptions } from "../local/host/host-options.ts";
import { HOST_PARTS } from "../local/host/parts.ts";
import { runParts } from "../local/host/run-parts.ts";
import { stopWithNpm } from "../local/stop-with-npm.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

async function run(argv: string[]): Promise<number> {
  const { parts, ports, directory, install_only, json, help } = hostOptions(argv, HOST_PARTS, REPOSITORY);
  if (help) {
    process.stdout.write(hostHelp(HOST_PARTS));
    return 0;
  }
  const tell = (line: string) => console.error(line);
  if (install_only) {
    for (const part of parts) await part.install((line) => tell(`${part.name}: ${line}`));
    return 0;
  }
  const told_to_stop = new Promise<undefined>((resolve) => {
    const stop = () => resolve(undefined);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    stopWithNpm(stop);
  });
  const starting = runParts(parts, { directory, ports, tell });
  const running = await Promise.race([starting, told_to_stop]);
  if (running === undefined) return 0; // the servers end with this process
  if (json) console.log(JSON.stringify({ environment: running.environment, parts: running.parts }));
  else tell("Ready. In another terminal: STAGE=localstack npm start. Stop with Ctrl-C.");
  const failed = await Promise.race([running.failed, told_to_stop]);
  if (failed !== undefined) tell(`${failed} ended by itself; see ${join(directory, `${failed}.log`)}`);
  await running.stop();
  return failed === undefined ? 0 : 1;
}

try {
  process.exit(await run(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
