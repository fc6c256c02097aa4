import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { CommandResult } from "#lib/sandbox/run-command.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import type { NpmRegistry } from "#test/fakes/npm-registry.ts";
import type { Tool } from "#test/tools.ts";

/** What is outside the sandbox and must stay there. */
export interface Outside {
  /** A text that no run may ever print: in the worker's environment and in `secret_file`. */
  secret: string;
  secret_file: string;
  /** A directory of the machine that is in no profile. */
  directory: string;
  /** Services of the machine. */
  tcp_port: number;
  udp_port: number;
  unix_socket: string;
  abstract_socket: string;
  worker_pid: number;
  /** What the filtering proxy leads to, and how it finds hosts. */
  registry: Pick<NpmRegistry, "port" | "project">;
  lookup: Lookup;
}

/** One command, and what must come of it. */
export interface SandboxCase {
  name: string;
  /** `full` where only namespaces can hold it, `reduced` where these forbid it; `any` backend otherwise. */
  isolation: "full" | "reduced" | "any";
  limits?: Partial<SandboxProfile> | ((outside: Outside) => Partial<SandboxProfile>);
  files?: Record<string, string> | ((outside: Outside) => Record<string, string>);
  command: string | ((outside: Outside) => string);
  /** A limit code, COMMAND_FAILED for any other failure, or PASSED. */
  code: string;
  /** What the command must have printed, exactly. */
  prints?: string;
  /** What not every machine has. */
  needs?: Tool;
  /** Throws when something is not as it should be. */
  check?: (result: CommandResult, tree: string) => void | Promise<void>;
}

/** The code a run would be reported under. */
export function codeOf({ limit, exit_code }: CommandResult): string {
  return limit?.code ?? (exit_code === 0 ? "PASSED" : "COMMAND_FAILED");
}

/** One command line that runs JavaScript. It must not hold a double quote, `$` or a backtick. */
export function javascript(program: string): string {
  return `node -e "${program.replaceAll("\n", " ")}"`;
}
