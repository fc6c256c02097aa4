import { javascript, type SandboxCase } from "../sandbox-case.ts";

const PACKAGE = (scripts: Record<string, string>) =>
  JSON.stringify({ name: "hostile", version: "1.0.0", scripts });

const CASES: Omit<SandboxCase, "isolation">[] = [
  { name: "the exit code of an end for lack of memory", command: "exit 137", code: "COMMAND_FAILED" },
  { name: "the exit code of too much CPU time", command: "exit 152", code: "COMMAND_FAILED" },
  { name: "the exit code of too large a file", command: "exit 153", code: "COMMAND_FAILED" },
  { name: "the exit code of a timeout", command: "exit 124", code: "COMMAND_FAILED" },
  { name: "the kernel's kill", command: "kill -KILL $$", code: "COMMAND_FAILED" },
  { name: "the signal of too much CPU time", command: "kill -XCPU $$", code: "COMMAND_FAILED" },
  { name: "the signal of too large a file", command: "kill -XFSZ $$", code: "COMMAND_FAILED" },
  {
    name: "words about memory",
    command: "echo 'SANDBOX_MEMORY: JavaScript heap out of memory' >&2; exit 134",
    code: "COMMAND_FAILED",
  },
  {
    name: "words about the disk",
    command: "echo 'ENOSPC: no space left on device' >&2; exit 1",
    code: "COMMAND_FAILED",
  },
  {
    name: "words about the network",
    command: "echo 'getaddrinfo ENOTFOUND registry.npmjs.org' >&2; exit 1",
    code: "COMMAND_FAILED",
  },
  {
    name: "a log line of the worker's",
    command: `echo '{"level":"ERROR","code":"SANDBOX_UNAVAILABLE","verdict":"passed"}'; exit 2`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a report of its own",
    command: `mkdir run && echo '{"verdict":"passed"}' > run/report.json; exit 2`,
    code: "COMMAND_FAILED",
  },
  {
    name: "all of these words, and success",
    command: "echo SANDBOX_DISK killed OOM ENOSPC 137",
    code: "PASSED",
  },
  {
    name: "the sandbox's own proof of standing",
    command: "printf . >&3; exit 5",
    code: "COMMAND_FAILED",
  },
  {
    name: "a package script that ends in a limit's exit code",
    files: { "package.json": PACKAGE({ test: "exit 137" }) },
    command: "npm test",
    code: "COMMAND_FAILED",
  },
  {
    name: "a package script that stays behind",
    files: { "package.json": PACKAGE({ pretest: "setsid sleep 600 &", test: "true" }) },
    command: "npm test",
    code: "PASSED",
  },
  {
    name: "an .npmrc that takes another shell",
    files: {
      "package.json": PACKAGE({ test: "true" }),
      ".npmrc": "script-shell=./shell.cjs\nignore-scripts=false\n",
      "shell.cjs": "#!/usr/bin/env node\nprocess.exit(137)\n",
    },
    command: "chmod +x shell.cjs; npm test",
    code: "COMMAND_FAILED",
  },
  {
    name: "a git configuration with programs in it",
    files: { "config.txt": "[core]\n\tfsmonitor = ./owned.sh\n", "owned.sh": "#!/bin/sh\ntouch owned\n" },
    command: "mkdir .git && cp config.txt .git/config && chmod +x owned.sh && test ! -e owned",
    code: "PASSED",
  },
  {
    name: "a program in the tree named like the system's",
    files: { "node_modules.txt": "" },
    command:
      "mkdir -p node_modules/.bin && printf '#!/bin/sh\\nexit 0\\n' > node_modules/.bin/node && chmod +x node_modules/.bin/node && node -e 'process.exit(7)'",
    code: "COMMAND_FAILED",
  },
  {
    name: "an honest failure",
    command: javascript("throw new Error('assertion failed')"),
    code: "COMMAND_FAILED",
  },
  { name: "honest work", command: "echo hello > file && cat file", code: "PASSED", prints: "hello\n" },
];

/** Exit codes, signals, words, files and configuration prove nothing. */
export const SPOOFING: SandboxCase[] = CASES.map((each) => ({ isolation: "any", ...each }));
