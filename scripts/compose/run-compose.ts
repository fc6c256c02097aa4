import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { HOST_DIRECTORY, HOST_ENVIRONMENT_FILE } from "../../local/host/host-environment.ts";

export const COMPOSE_FILE = "localstack-compose.yml";

export const COMPOSE_COMMANDS = {
  up: ["up", "--detach", "--wait"],
  down: ["down"],
  logs: ["logs", "--follow", "--tail", "100"],
} as const;

const WITHOUT = "or use npm run stack:host, which runs the same services without Docker";

/** What keeps `docker compose` from working here, in one sentence; undefined when nothing does. */
export async function composeComplaint(environment = process.env): Promise<string | undefined> {
  const ask = (...given: string[]) =>
    promisify(execFile)("docker", given, { env: environment, timeout: 30_000 });
  try {
    await ask("--version");
  } catch {
    return `docker is missing: install Docker with its compose plugin, ${WITHOUT}.`;
  }
  try {
    await ask("compose", "version");
  } catch {
    return `docker has no compose plugin: install docker-compose-plugin, ${WITHOUT}.`;
  }
  try {
    await ask("info", "--format", "{{.ServerVersion}}");
  } catch {
    return `The Docker engine does not answer: start it (systemctl start docker, or Docker Desktop), ${WITHOUT}.`;
  }
  return undefined;
}

/**
 * Runs one command of `docker compose` on the compose file, with its output on this terminal, and answers
 * its exit code. `up` tells STAGE=localstack where the services are, `down` takes that away.
 */
export async function runCompose(
  command: keyof typeof COMPOSE_COMMANDS,
  given: readonly string[],
  repository: string,
): Promise<number> {
  const directory = join(repository, HOST_DIRECTORY);
  mkdirSync(directory, { recursive: true });
  const password = keptPassword(join(directory, "compose-neo4j-password"));
  const child = spawn("docker", ["compose", "--file", COMPOSE_FILE, ...COMPOSE_COMMANDS[command], ...given], {
    cwd: repository,
    stdio: "inherit",
    env: { ...process.env, NEO4J_PASSWORD: password },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  const facts = join(directory, HOST_ENVIRONMENT_FILE);
  if (command === "down") rmSync(facts, { force: true });
  if (command === "up" && code === 0) {
    writeFileSync(facts, `${JSON.stringify(composeEnvironment(password), null, 2)}\n`, { mode: 0o600 });
  }
  return code ?? 1;
}

function composeEnvironment(password: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
    NEO4J_URL: "bolt://127.0.0.1:7687",
    NEO4J_USER: "neo4j",
    NEO4J_PASSWORD: password,
  };
}

/** The server takes it at its first start and keeps it in its volume. */
function keptPassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(18).toString("base64url")}\n`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
