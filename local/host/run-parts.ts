import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isFree } from "../ports.ts";
import { HOST_ENVIRONMENT_FILE } from "./host-environment.ts";
import { missingTools } from "./missing-tools.ts";
import type { HostPart, RunningPart } from "./part.ts";

export interface PartsOptions {
  /** Holds each part's data and log, and the file that tells others where they are. */
  directory: string;
  /** By part; `port_default` otherwise. */
  ports: Readonly<Record<string, number>>;
  /** One readable line at a time. */
  tell(line: string): void;
}

export interface RunningParts {
  /** The variables that lead the system to all of them. */
  environment: Record<string, string>;
  parts: { name: string; title: string; endpoint: string; pid: number }[];
  /** Resolves with the name of the first part that ends by itself. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Installs and starts the parts, all or none, and writes where they are to `<directory>/environment.json`.
 *
 * @throws naming everything that is missing: tools, and ports that are taken
 */
export async function runParts(parts: readonly HostPart[], options: PartsOptions): Promise<RunningParts> {
  const portOf = ({ name, port_default }: HostPart) => options.ports[name] ?? port_default;
  await refuseMissing(parts, portOf);
  for (const part of parts) await part.install((line) => options.tell(`${part.name}: ${line}`));
  const starts = await Promise.allSettled(parts.map((part) => startOne(part, portOf(part), options)));
  const running = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const stop = async () => {
    rmSync(join(options.directory, HOST_ENVIRONMENT_FILE), { force: true });
    await Promise.all(running.map(({ server }) => server.stop()));
  };
  const failure = starts.find((start) => start.status === "rejected");
  if (failure) {
    await stop();
    throw failure.reason;
  }
  const environment = Object.assign({}, ...running.map(({ server }) => server.environment));
  const file = join(options.directory, HOST_ENVIRONMENT_FILE);
  writeFileSync(file, `${JSON.stringify(environment, null, 2)}\n`, { mode: 0o600 });
  return {
    environment,
    parts: running.map(({ part: { name, title }, server: { endpoint, pid } }) => ({
      ...{ name, title, endpoint, pid },
    })),
    failed: Promise.race(running.map(({ part, server }) => server.ended.then(() => part.name))),
    stop,
  };
}

async function refuseMissing(parts: readonly HostPart[], portOf: (part: HostPart) => number): Promise<void> {
  const complaints = await missingTools(parts.flatMap(({ tools }) => tools));
  for (const part of parts) {
    complaints.push(...((await part.complaints?.()) ?? []));
    const port = portOf(part);
    if (port === 0 || (await isFree(port))) continue;
    complaints.push(
      `Port ${port}, for ${part.name}, is taken: stop what listens there, or choose another with --port ${part.name}=${port + 100}.`,
    );
  }
  if (complaints.length > 0) throw new Error([...new Set(complaints)].join("\n"));
}

async function startOne(
  part: HostPart,
  port: number,
  { directory, tell }: PartsOptions,
): Promise<{ part: HostPart; server: RunningPart }> {
  const began_at = performance.now();
  const data_directory = join(directory, part.name);
  mkdirSync(data_directory, { recursive: true });
  const server = await part.start({ port, data_directory, log_file: join(directory, `${part.name}.log`) });
  const seconds = ((performance.now() - began_at) / 1000).toFixed(1);
  tell(`${part.name.padEnd(10)}  ${server.endpoint.padEnd(24)}  ${part.title}, ready in ${seconds} s`);
  return { part, server };
}
