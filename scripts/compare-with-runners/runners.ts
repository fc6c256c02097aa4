import { ownCounts } from "./own-counts.ts";
import {
  AVA_TESTS,
  BATS_TESTS,
  BROKEN_SUITE,
  bats,
  CARGO_FILES,
  cargo,
  GO_BROKEN,
  GO_FILES,
  goProject,
  jestJunitProject,
  jestLike,
  jestProject,
  MOCHA_TESTS,
  MODULE,
  mavenProject,
  mocha,
  mochaForms,
  NODE_BROKEN,
  NODE_MIXED,
  NODE_PASSING,
  NODE_TAP_TESTS,
  nodeProject,
  PACKAGE,
  PERL_TESTS,
  type Project,
  PYTEST_SUBTESTS,
  PYTEST_TESTS,
  pytestProject,
  QUNIT_TESTS,
  TAPE_TESTS,
  tape,
  vitestHeader,
  vitestProject,
} from "./sample-projects.ts";

export interface Runner {
  name: string;
  /** Prints the version; a failure means that the runner is not here. */
  version: string;
  /** Packages of npm it takes, fetched into a temporary directory. */
  packages: readonly string[];
  projects: readonly Project[];
}

const bin = (name: string) => `$TOOLS/node_modules/.bin/${name} --version`;
const version = (name: string) =>
  `node -p 'require(process.env.TOOLS + "/node_modules/${name}/package.json").version'`;

/** Every runner that is compared, with what it takes. */
export const RUNNERS: readonly Runner[] = [
  {
    name: "node:test",
    version: "node --version",
    packages: [],
    projects: [
      nodeProject("mixed", NODE_MIXED),
      nodeProject("passing", NODE_PASSING),
      nodeProject("a file that cannot load", NODE_BROKEN),
    ],
  },
  {
    name: "Vitest",
    version: version("vitest"),
    packages: ["vitest@4.1.12"],
    projects: [
      vitestProject("mixed", { "a.test.mjs": jestLike(vitestHeader, "it.todo"), "b.test.mjs": BROKEN_SUITE }),
      vitestProject("passing", {
        "a.test.mjs": `${vitestHeader}\nit("one", () => {});\nit("two", () => {});\n`,
      }),
    ],
  },
  {
    name: "Jest",
    version: bin("jest"),
    packages: ["jest@30.5.2", "jest-junit@17.0.0"],
    projects: [
      jestProject("mixed", { "a.test.js": jestLike("", "it.todo") }),
      jestProject("a suite that cannot load", {
        "a.test.js": jestLike("", "it.todo"),
        "b.test.js": BROKEN_SUITE,
      }),
      jestJunitProject,
    ],
  },
  {
    name: "Mocha",
    version: bin("mocha"),
    packages: ["mocha@12.0.3"],
    projects: [
      {
        name: "mixed, a failed hook",
        files: { "package.json": PACKAGE, "t.js": MOCHA_TESTS },
        own: { command: `${mocha} --reporter spec`, counts: ownCounts.mocha },
        forms: mochaForms,
      },
    ],
  },
  {
    name: "tape",
    version: version("tape"),
    packages: ["tape@5.10.2"],
    projects: [
      {
        name: "mixed",
        files: { "package.json": PACKAGE, "t.js": TAPE_TESTS },
        own: { command: tape, counts: ownCounts.tape },
        forms: [
          { name: "as it is", command: tape },
          { name: "with carriage returns", command: `${tape} | sed 's/$/\\r/'` },
        ],
      },
      {
        name: "two streams",
        files: { "package.json": PACKAGE, "t.js": TAPE_TESTS },
        own: { command: `${tape}; ${tape}`, counts: ownCounts.tape },
        forms: [{ name: "one after the other", command: `${tape}; ${tape}` }],
      },
    ],
  },
  {
    name: "AVA",
    version: bin("ava"),
    packages: ["ava@7.0.0"],
    projects: [
      {
        name: "mixed",
        files: { "package.json": MODULE, "test.js": AVA_TESTS },
        own: { command: "$TOOLS/node_modules/.bin/ava 2>&1", counts: ownCounts.ava },
        forms: [{ name: "tap", command: "$TOOLS/node_modules/.bin/ava --tap" }],
      },
    ],
  },
  {
    name: "node-tap",
    version: version("tap"),
    packages: ["tap@21.8.0"],
    projects: [
      {
        name: "mixed",
        files: { "package.json": PACKAGE, "t.js": NODE_TAP_TESTS },
        own: { command: "node t.js", counts: ownCounts.nodeTap },
        forms: [
          { name: "node t.js", command: "node t.js" },
          {
            name: "--reporter=tap",
            command: "$TOOLS/node_modules/.bin/tap --disable-coverage --reporter=tap t.js",
          },
        ],
      },
    ],
  },
  {
    name: "QUnit",
    version: version("qunit"),
    packages: ["qunit@3.0.0"],
    projects: [
      {
        name: "mixed",
        files: { "package.json": PACKAGE, "t.js": QUNIT_TESTS },
        own: {
          command: "node $TOOLS/node_modules/qunit/bin/qunit.js --reporter tap t.js",
          counts: ownCounts.tape,
        },
        forms: [{ name: "tap", command: "node $TOOLS/node_modules/qunit/bin/qunit.js --reporter tap t.js" }],
      },
    ],
  },
  {
    name: "Bats",
    version: version("bats"),
    packages: ["bats@1.13.0"],
    projects: [
      {
        name: "mixed",
        files: { "t.bats": BATS_TESTS },
        own: { command: `${bats} --pretty`, counts: ownCounts.bats },
        forms: [
          { name: "tap", command: `${bats} --tap` },
          { name: "tap13 with times", command: `${bats} --formatter tap13 --timing` },
          { name: "junit", command: `${bats} --formatter junit` },
        ],
      },
    ],
  },
  {
    name: "Test::More",
    version: "perl -MTest::More -e 'print $Test::More::VERSION'",
    packages: [],
    projects: [
      {
        name: "mixed",
        files: { "t.pl": PERL_TESTS },
        own: { command: "perl t.pl 2>/dev/null", counts: ownCounts.perl },
        forms: [
          { name: "tap", command: "perl t.pl" },
          { name: "tap with stderr", command: "perl t.pl 2>&1" },
        ],
      },
    ],
  },
  {
    name: "pytest",
    version: "python3 -m pytest --version",
    packages: [],
    projects: [
      pytestProject("mixed", { "test_sums.py": PYTEST_TESTS }),
      pytestProject("passing", { "test_one.py": "def test_one(): pass\n" }),
      pytestProject("subtests", { "test_one.py": PYTEST_SUBTESTS }),
      pytestProject("a file that cannot load", {
        "test_one.py": "def test_one(): pass\n",
        "test_two.py": "import no_such_module\n",
      }),
    ],
  },
  {
    name: "go",
    version: "go version",
    packages: [],
    projects: [goProject("mixed", GO_FILES), goProject("a package that does not build", GO_BROKEN)],
  },
  {
    name: "cargo",
    version: "cargo --version",
    packages: [],
    projects: [
      {
        name: "several binaries",
        files: CARGO_FILES,
        own: { command: cargo, counts: ownCounts.cargo },
        forms: [
          { name: "as it is", command: cargo },
          { name: "--quiet", command: `${cargo} --quiet` },
          { name: "with output", command: `${cargo} -- --nocapture` },
        ],
      },
    ],
  },
  {
    name: "Maven",
    version: "mvn --version",
    packages: [],
    projects: [mavenProject("mixed", 0), mavenProject("with reruns", 1)],
  },
];
