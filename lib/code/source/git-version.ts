import { text } from "node:stream/consumers";
import { runGit, runLimitsOf } from "#lib/code/source/run-git.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

/** Older ones ignore `http.curloptResolve` without a word: https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpcurloptResolve */
const PINNING_SINCE = [2, 37] as const;

const pinning = new Set<string>();

/** @throws TerminalFault `GIT_UNAVAILABLE` when git would resolve a host's name again by itself */
export async function demandPinning(ports: SourcePorts): Promise<void> {
  const { git_program: program = "git", signal } = ports;
  if (pinning.has(program)) return;
  let said = "";
  await runGit(["version"], {
    repository: "/nonexistent",
    signal,
    limits: runLimitsOf(ports),
    program,
    exchange: async (stdin, stdout) => {
      stdin.end();
      said = await text(stdout);
    },
  });
  if (!canPin(said)) {
    throw new TerminalFault(
      "GIT_UNAVAILABLE",
      `git ${PINNING_SINCE.join(".")} or later is needed where this function runs, and ${JSON.stringify(said.trim())} is there. Use the container image, or upload the tree.`,
    );
  }
  pinning.add(program);
}

/** Of what `git version` prints. */
export function canPin(version: string): boolean {
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return false;
  const [since_major, since_minor] = PINNING_SINCE;
  return Number(major) > since_major || (Number(major) === since_major && Number(minor) >= since_minor);
}
