interface TestRunner {
  name: string;
  /** The first words of a command that starts it. */
  starts: readonly string[][];
  /** What in the command shows that a report is asked for already. */
  reports: RegExp;
  /** What to add to the command. */
  flag: string;
}

/** Runners whose usual output is for people. Those that are read as they are do not stand here. */
const RUNNERS: readonly TestRunner[] = [
  { name: "Mocha", starts: [["mocha"]], reports: /(?:^|\s)(?:--reporter|-R)/, flag: "--reporter json" },
  {
    name: "Jest",
    starts: [["jest"], ["react-scripts", "test"]],
    reports: /--json|--reporters/,
    flag: "--json",
  },
  { name: "Vitest", starts: [["vitest"]], reports: /--reporter/, flag: "--reporter=json" },
  { name: "AVA", starts: [["ava"]], reports: /(?:^|\s)(?:--tap|-t)\b/, flag: "--tap" },
  { name: "node-tap", starts: [["tap"]], reports: /(?:^|\s)(?:--reporter|-R)/, flag: "--reporter=tap" },
  {
    name: "Jasmine",
    starts: [["jasmine"]],
    reports: /--reporter/,
    flag: "--reporter=<one that writes JUnit XML>",
  },
  {
    name: "Playwright",
    starts: [["playwright", "test"]],
    reports: /--reporter/,
    flag: "--reporter=junit, with PLAYWRIGHT_JUNIT_OUTPUT_NAME=results.xml in front",
  },
  { name: "Cypress", starts: [["cypress", "run"]], reports: /--reporter/, flag: "--reporter junit" },
  {
    name: "Deno",
    starts: [["deno", "test"]],
    reports: /--reporter|--junit-path/,
    flag: "--junit-path=junit.xml",
  },
  {
    name: "Bun",
    starts: [["bun", "test"]],
    reports: /--reporter/,
    flag: "--reporter=junit --reporter-outfile=junit.xml",
  },
  { name: "go test", starts: [["go", "test"]], reports: /(?:^|\s)--?json\b/, flag: "-json" },
  {
    name: "cargo nextest",
    starts: [["cargo", "nextest"]],
    reports: /--profile|-P\b/,
    flag: "--profile ci, with a junit path for that profile in .config/nextest.toml, and --report with the path",
  },
  {
    name: "Maven",
    starts: [["mvn"], ["mvnw"]],
    reports: /(?!)/,
    flag: "the goal `test` or `verify`: Surefire and Failsafe write target/*-reports/*.xml unless disableXmlReport is set",
  },
  {
    name: "Gradle",
    starts: [["gradle"], ["gradlew"]],
    reports: /(?!)/,
    flag: "--rerun-tasks: it writes build/test-results/**/*.xml, and nothing where the tests are up to date",
  },
  {
    name: "pytest",
    starts: [["pytest"], ["py.test"]],
    reports: /--junit-?xml/,
    flag: "--junitxml=junit.xml",
  },
  {
    name: "unittest",
    starts: [["unittest"]],
    reports: /(?!)/,
    flag: "nothing: run it by `pytest`, which is read",
  },
  {
    name: "RSpec",
    starts: [["rspec"]],
    reports: /(?:^|\s)(?:--format|-f)/,
    flag: "--format RspecJunitFormatter --out junit.xml (gem rspec_junit_formatter)",
  },
  { name: "PHPUnit", starts: [["phpunit"], ["pest"]], reports: /--log-junit/, flag: "--log-junit junit.xml" },
  {
    name: "dotnet test",
    starts: [["dotnet", "test"]],
    reports: /--logger|-l\b/,
    flag: '--logger "junit;LogFilePath=junit.xml" (package JunitXml.TestLogger)',
  },
  { name: "CTest", starts: [["ctest"]], reports: /--output-junit/, flag: "--output-junit junit.xml" },
  { name: "Swift", starts: [["swift", "test"]], reports: /--xunit-output/, flag: "--xunit-output junit.xml" },
  { name: "Bats", starts: [["bats"]], reports: /--tap|--formatter|-F\b|-t\b/, flag: "--tap" },
];
/** Read from what they print; a command line that names one needs no advice before it has run. */
const READ_AS_THEY_ARE = new Set(["pytest", "Maven", "Gradle"]);

const WRAPPERS = new Set([
  ...[
    "npx",
    "bunx",
    "env",
    "cross-env",
    "time",
    "exec",
    "c8",
    "nyc",
    "coverage",
    "run",
    "dlx",
    "bundle",
    "poetry",
  ],
  ...["pnpm", "yarn", "npm", "uv", "pipenv", "sudo", "nice", "timeout", "python", "python3", "--", "command"],
]);
const COMMAND_CHARACTERS_MAX = 4096;
const LOG_CHARACTERS_MAX = 100_000;

/** How a command would give a report that is read, in a sentence; null when it does, or is of no runner known here. */
export function reportAdvice(command: string): string | null {
  const runner = withoutReport(command).find(({ name }) => !READ_AS_THEY_ARE.has(name));
  return runner ? adviceOn(runner) : null;
}

/**
 * The same for a command that has run and left no report. Where it only starts a package's script, the runner is
 * looked for in the lines in which npm, pnpm and yarn say what they start.
 */
export function reportAdviceAfter(command: string, log: string): string | null {
  const started = [...log.slice(0, LOG_CHARACTERS_MAX).matchAll(/^(?:> |\$ )(.{1,4096})$/gm)].map(
    ([, line]) => line ?? "",
  );
  const [runner] = [command, ...started].flatMap(withoutReport);
  return runner ? adviceOn(runner) : null;
}

function adviceOn({ name, flag }: TestRunner): string {
  return `${name} gives a report with ${flag}`;
}

function withoutReport(command: string): TestRunner[] {
  return command
    .slice(0, COMMAND_CHARACTERS_MAX)
    .split(/[;|&\n()]+/)
    .flatMap((simple) => {
      const runner = runnerOf(simple.split(/\s+/).filter((word) => word !== ""));
      return runner && !runner.reports.test(simple) ? [runner] : [];
    });
}

function runnerOf(words: readonly string[]): TestRunner | undefined {
  let first = 0;
  while (first < words.length && isBefore(words[first] ?? "")) first++;
  const named = [baseName(words[first] ?? ""), words[first + 1] ?? ""];
  return RUNNERS.find(({ starts }) => starts.some((start) => start.every((word, at) => named[at] === word)));
}

/** Assignments, wrappers and their options, which stand before the runner's name. */
function isBefore(word: string): boolean {
  return /^\w+=/.test(word) || /^-/.test(word) || WRAPPERS.has(baseName(word)) || /^\d+[smh]?$/.test(word);
}

/** `./node_modules/.bin/mocha` and `mocha@11` are `mocha`; `jest.cmd` is `jest`. */
function baseName(word: string): string {
  const name = word.slice(word.lastIndexOf("/") + 1).replace(/\.(?:cmd|exe|js|mjs|cjs|phar)$/, "");
  return name.replace(/(?<=.)@.*$/, "").replace(/^["']|["']$/g, "");
}
