import type { AgentContext } from "#lib/agent/agent.ts";
import { missingProgram } from "#lib/sandbox/missing-program.ts";
import { phaseInSpan } from "#lib/sandbox/phase-span.ts";
import type { CommandOrder } from "#lib/sandbox/run-command.ts";
import { type PhaseRun, runPhase, skippedPhase } from "#lib/sandbox/run-phase.ts";
import { parseTestResults, type TestResults } from "#lib/test-results/parse-test-results.ts";
import { newReportFiles, reportFileVersions } from "#lib/test-results/report-files.ts";

export interface BuildtestRun {
  build: PhaseRun;
  test: PhaseRun;
  tests: TestResults;
  /** The program whose absence ended the build or the test, looked up and not found. */
  missing_program: string | null;
}

type Status = PhaseRun["phase"]["status"];
type Place = Omit<CommandOrder, "command">;
type Context = Pick<AgentContext, "span">;

const BUILD = { name: "build", log: "build-test/build.log" } as const;
const TEST = { name: "test", log: "build-test/test.log" } as const;
/** What a shell says of a command it does not find; also what anybody may say. */
const NOT_FOUND = 127;

/** The build, then the test if the build passed, then what the test reported. */
export async function runBuildAndTest(
  commands: { build?: string | undefined; test?: string | undefined },
  place: Place,
  context: Context,
): Promise<BuildtestRun> {
  const { build: command } = commands;
  const build = command
    ? await phaseInSpan(context, BUILD.name, () => runPhase(BUILD, { ...place, command }))
    : skippedPhase(BUILD, "", "no build command was given");
  const before = await reportFileVersions(place.tree);
  const test = await runTest(commands.test, build, place, context);
  const tests = await readResults(test, place.tree, before);
  const missing_program = (await missing(build, place)) ?? (await missing(test, place));
  return {
    build: missing_program && build.phase.status === "failed" ? withStatus(build, "error") : build,
    test: withStatus(test, testStatus(test, tests, missing_program)),
    tests,
    missing_program,
  };
}

async function readResults(test: PhaseRun, tree: string, before: ReadonlyMap<string, string>) {
  return parseTestResults({
    stdout: test.result?.stdout.toString("utf8") ?? "",
    log: test.result?.log.toString("utf8") ?? "",
    files: test.result ? await newReportFiles(tree, before) : [],
    tree: test.result?.tree_inside ?? tree,
  });
}

/** An exit code of 0 does not make failed tests good. */
function testStatus({ phase }: PhaseRun, tests: TestResults, missing_program: string | null): Status {
  if (phase.status === "failed" && missing_program) return "error";
  return phase.status === "passed" && tests.failed > 0 ? "failed" : phase.status;
}

function withStatus(run: PhaseRun, status: Status): PhaseRun {
  return { ...run, phase: { ...run.phase, status } };
}

async function runTest(
  command: string | undefined,
  build: PhaseRun,
  place: Place,
  context: Context,
): Promise<PhaseRun> {
  if (!command) return skippedPhase(TEST, "", "no test command was given");
  if (build.phase.status === "failed" || build.phase.status === "error") {
    return skippedPhase(TEST, command, "the build did not pass");
  }
  return phaseInSpan(context, TEST.name, () => runPhase(TEST, { ...place, command }));
}

async function missing({ phase }: PhaseRun, place: Place): Promise<string | null> {
  if (phase.exit_code !== NOT_FOUND) return null;
  return missingProgram({ ...place, command: phase.command });
}
