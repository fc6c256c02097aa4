import { describe, expect, it } from "vitest";
import { reportAdvice, reportAdviceAfter } from "#lib/code/test-results/test-runners.ts";

describe("advice on a command that will give no report", () => {
  it.each([
    ["mocha", "Mocha gives a report with --reporter json"],
    ["npx mocha --exit test/*.js", "Mocha"],
    ["NODE_ENV=test ./node_modules/.bin/jest --ci", "Jest gives a report with --json"],
    ["npm run build && npx vitest run", "Vitest gives a report with --reporter=json"],
    ["c8 ava", "AVA gives a report with --tap"],
    ["tap test/*.js", "node-tap"],
    ["go test ./...", "go test gives a report with -json"],
    ["cd mod && bundle exec rspec", "RSpec"],
    ["vendor/bin/phpunit", "PHPUnit gives a report with --log-junit junit.xml"],
    ["npx mocha@11 | tee log", "Mocha"],
    ["npx -y jest@30", "Jest"],
  ])("names the runner and the flag: %s", (command, advice) => {
    expect(reportAdvice(command)).toContain(advice);
  });

  it.each([
    "mocha --reporter json",
    "mocha -R tap",
    "jest --json --outputFile=out.json",
    "vitest run --reporter=junit",
    "ava --tap",
    "go test -json ./...",
    "go build ./...",
    "node --test",
    "tape test.js",
    "cargo test",
    "pytest -q",
    "mvn -B verify",
    "./gradlew test",
    "npm test",
    "echo mocha",
    "",
  ])("is not given where a report will be, or nobody knows: %s", (command) => {
    expect(reportAdvice(command)).toBeNull();
  });
});

describe("advice after a run without a report", () => {
  it("finds the runner in what npm and yarn say that they start", () => {
    expect(reportAdviceAfter("npm test", "\n> a@1 test\n> mocha --exit\n\n  1 passing\n")).toContain("Mocha");
    expect(reportAdviceAfter("yarn test", "yarn run v1.22\n$ jest\nPASS a.test.js\n")).toContain("Jest");
    expect(reportAdviceAfter("npm test", "> a@1 test\n> make check\n")).toBeNull();
  });

  it("is given for runners that are read as they are, too: something kept their report away", () => {
    expect(reportAdviceAfter("mvn -q verify", "")).toContain("Surefire");
    expect(reportAdviceAfter("./gradlew test", "BUILD SUCCESSFUL")).toContain("--rerun-tasks");
  });
});
