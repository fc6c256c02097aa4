import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { newReportFiles, reportFileVersions } from "#lib/code/test-results/report-files.ts";
import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import type { FormRun } from "./comparison.ts";
import type { Runner } from "./runners.ts";
import type { Project } from "./sample-projects.ts";

const RUN_MS_MAX = 600_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

interface Ran {
  exit_code: number | null;
  stdout: string;
  stderr: string;
}

/** Fetches packages of npm into a directory. @throws Error with npm's output when it cannot */
export async function fetchPackages(tools: string, packages: readonly string[]): Promise<void> {
  const command = `[ -e package.json ] || echo '{}' > package.json; npm install --no-audit --no-fund --ignore-scripts ${packages.join(" ")}`;
  const fetched = await run(command, tools, tools);
  if (fetched.exit_code !== 0) console.log(`npm could not fetch them: ${fetched.stderr.slice(0, 500)}`);
}

/** The first line of what a runner says of its version; null when it is not here. */
export async function versionOf(runner: Runner, tools: string): Promise<string | null> {
  const { exit_code, stdout, stderr } = await run(runner.version, tools, tools);
  if (exit_code !== 0) return null;
  const [line = ""] = stripAnsi(`${stdout}${stderr}`).split("\n");
  return /\d+\.\d+[\w.-]*/.exec(line)?.[0] ?? "unknown";
}

/** Runs a package in each form, and once more for the runner's own counts. */
export async function runProject(
  runner: Runner,
  project: Project,
  version: string,
  tools: string,
): Promise<FormRun[]> {
  const directory = await mkdtemp(join(tmpdir(), "test-project-"));
  try {
    for (const [path, text] of Object.entries(project.files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    // Where what the package requires is found.
    if (runner.packages.length > 0)
      await symlink(join(tools, "node_modules"), join(directory, "node_modules"));
    const own = await run(project.own.command, directory, tools);
    const counts = project.own.counts(own.stdout);
    const runs: FormRun[] = [];
    for (const form of project.forms) {
      const before = await reportFileVersions(directory, form.reports);
      const { stdout, stderr } = await run(form.command, directory, tools);
      const { files } = await newReportFiles(directory, before, form.reports);
      const neutral = (text: string) =>
        text
          .replaceAll(directory, "/workspace")
          .replaceAll(tools, "/tools")
          .replaceAll(homedir(), "/home/user");
      runs.push({
        runner: runner.name,
        version,
        project: project.name,
        form: form.name,
        stdout: neutral(stdout),
        stderr: neutral(stderr),
        files: files.map(({ path, text }) => ({ path, text: neutral(text) })),
        own: counts,
      });
    }
    return runs;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function run(command: string, directory: string, tools: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, TOOLS: tools, CI: "1", NO_COLOR: "1", FORCE_COLOR: undefined };
    const child = spawn("sh", ["-c", command], {
      cwd: directory,
      env: { ...environment, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_MS_MAX,
      killSignal: "SIGKILL",
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let bytes = 0;
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= OUTPUT_BYTES_MAX) output[stream].push(chunk);
      });
    }
    child.on("error", reject);
    child.on("close", (exit_code) =>
      resolve({
        exit_code,
        stdout: Buffer.concat(output.stdout).toString("utf8"),
        stderr: Buffer.concat(output.stderr).toString("utf8"),
      }),
    );
  });
}
