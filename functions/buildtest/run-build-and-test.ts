import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import type { TestResults } from "#lib/code/test-results/parse-test-results.ts";
import type { ReportPlace } from "#lib/code/test-results/report-files.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { missingProgram } from "#lib/sandbox/missing-program.ts";
import type { CommandOrder } from "#lib/sandbox/run-command.ts";
import { type PhaseRun, runPhase, skippedPhase } from "#lib/sandbox/run-phase.ts";

export interface BuildtestRun {
  /** Null when there was no such command. */
  install: PhaseRun | null;
  build: PhaseRun;
  test: PhaseRun;
  tests: TestResults;
  /** Why what the tests wrote could not be read: it was too much for a limit. */
  unreadable: RejectedInput | null;
  /** The program whose absence ended the build or the test, looked up and not found. */
  missing_program: string | null;
}

type Commands = { [Name in "install" | "build" | "test"]?: string | undefined } & {
  reports?: readonly string[] | undefined;
};
type Status = PhaseRun["phase"]["status"];
type Place = Omit<CommandOrder, "command">;
type Context = Pick<AgentContext, "span"> & {
  code: Pick<ConfinedCode, "reportFileVersions" | "readTestResults">;
};

const INSTALL = { name: "install", log: "build-test/install.log" } as const;
const BUILD = { name: "build", log: "build-test/build.log" } as const;
const TEST = { name: "test", log: "build-test/test.log" } as const;
const NO_RESULTS: TestResults = {
  ...{ format: "none", tests: [], passed: 0, failed: 0, skipped: 0 },
  ...{ problems: [], reports: [] },
};
/** What a shell says of a command it does not find; also what anybody may say. */
const NOT_FOUND = 127;

/**
 * The install with what network the profile gives it, the build, the test, each if the one before
 * passed, then what the test reported.
 */
export async function runBuildAndTest(
  commands: Commands,
  place: Place,
  context: Context,
): Promise<BuildtestRun> {
  const install = commands.install ? await runInstall(commands.install, place, context) : null;
  const build = await runNext(BUILD, commands.build, install, place, context);
  const globs = commands.reports ?? [];
  const before = await context.code.reportFileVersions(place.tree, globs);
  const test = await runNext(TEST, commands.test, build.phase.command ? build : install, place, context);
  const { tests, unreadable } = await readResults(test, { tree: place.tree, before, globs }, context.code);
  const missing_program = await firstMissing([install, build, test], place);
  return {
    install:
      install && missing_program && install.phase.status === "failed"
        ? withStatus(install, "error")
        : install,
    build: missing_program && build.phase.status === "failed" ? withStatus(build, "error") : build,
    test: withStatus(test, testStatus(test, tests, missing_program)),
    tests,
    unreadable,
    missing_program,
  };
}

async function readResults(
  { result }: PhaseRun,
  place: ReportPlace,
  { readTestResults }: Context["code"],
): Promise<Pick<BuildtestRun, "tests" | "unreadable">> {
  if (!result) return { tests: NO_RESULTS, unreadable: null };
  const { stdout, stderr, tree_inside } = result;
  const output = { stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8"), tree: tree_inside };
  try {
    return { tests: await readTestResults(output, place), unreadable: null };
  } catch (error) {
    // The logs are kept all the same, and say what the tests did.
    if (error instanceof RejectedInput) return { tests: NO_RESULTS, unreadable: error };
    throw error;
  }
}

/** An exit code of 0 does not make failed tests good, nor a report that proves nothing. */
function testStatus({ phase }: PhaseRun, tests: TestResults, missing_program: string | null): Status {
  if (phase.status === "failed" && missing_program) return "error";
  const failed = tests.failed > 0 || tests.problems.length > 0;
  return phase.status === "passed" && failed ? "failed" : phase.status;
}

function withStatus(run: PhaseRun, status: Status): PhaseRun {
  return { ...run, phase: { ...run.phase, status } };
}

function runInstall(command: string, place: Place, context: Context): Promise<PhaseRun> {
  const profile = { ...place.profile, network: place.profile.install_network };
  return runPhase(INSTALL, { ...place, profile, command }, context);
}

async function runNext(
  phase: typeof BUILD | typeof TEST,
  command: string | undefined,
  before: PhaseRun | null,
  place: Place,
  context: Context,
): Promise<PhaseRun> {
  if (!command) return skippedPhase(phase, "", `no ${phase.name} command was given`);
  if (before && before.phase.status !== "passed") {
    return skippedPhase(phase, command, `the ${before.phase.name} did not pass`);
  }
  return runPhase(phase, { ...place, command }, context);
}

async function firstMissing(runs: readonly (PhaseRun | null)[], place: Place): Promise<string | null> {
  for (const run of runs) {
    const found = run && (await missing(run, place));
    if (found) return found;
  }
  return null;
}

async function missing({ phase }: PhaseRun, place: Place): Promise<string | null> {
  if (phase.exit_code !== NOT_FOUND) return null;
  return missingProgram({ ...place, command: phase.command });
}
