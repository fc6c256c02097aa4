import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { Command, Option } from "commander";
import type { TaskView } from "#schemas/http/task-view.ts";
import { Verdict } from "#schemas/primitives.ts";
import { CliError, UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { readTask } from "../follow-task.ts";
import { type ArtifactFilters, listArtifacts } from "../list-artifacts.ts";
import { momentOption, whole } from "../parse-option.ts";
import { artifactTree } from "../render/artifact-tree.ts";
import { count, formatBytes } from "../render/format.ts";
import { openSession, type Session } from "../session.ts";

interface ArtifactsOptions extends Omit<ArtifactFilters, "task"> {
  output?: string;
  download?: string;
  all?: boolean;
  links?: boolean;
}

type Artifact = TaskView["artifacts"][number];

const EXAMPLES = `
Examples:
  $ agents artifacts task_01k…
  $ agents artifacts task_01k… codegen/diff.patch | git apply
  $ agents artifacts task_01k… build-test/report.json --output report.json
  $ agents artifacts task_01k… --download results/
  $ agents artifacts task_01k… --links
  $ xdg-open "$(agents artifacts task_01k… build-test/test.log --links)"
  $ agents artifacts --kind build-test --verdict failed --since 1d`;

function findArtifact(view: TaskView, path: string): Artifact {
  const found = view.artifacts.find((artifact) => artifact.path === path);
  if (found !== undefined) return found;
  const paths = view.artifacts.map((artifact) => artifact.path).join(", ");
  throw new UsageError(`${view.task_id} has no artifact ${path}.`, `It has: ${paths || "none yet"}.`);
}

async function save(session: Session, artifact: Artifact, file: string): Promise<void> {
  const bytes = await fetchArtifact(session.api, artifact);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

async function download(session: Session, view: TaskView, directory: string): Promise<void> {
  const root = resolve(directory);
  for (const [index, artifact] of view.artifacts.entries()) {
    const file = resolve(root, artifact.path);
    if (relative(root, file).split(sep)[0] === "..") {
      const message = `The artifact path ${artifact.path} leads out of ${root}.`;
      throw new CliError(exitCode.error, "ARTIFACT_PATH_UNSAFE", message);
    }
    session.terminal.live(`  Fetching ${index + 1} of ${view.artifacts.length}: ${artifact.path}`);
    await save(session, artifact, file);
  }
  session.terminal.live();
  const saved = { directory: root, artifacts: view.artifacts };
  session.answer(saved, () => [
    `Saved ${count(view.artifacts.length, "file")} in ${root}, checksums verified`,
  ]);
}

/** Presigned links, each of which a browser opens without a key. */
function showLinks(session: Session, view: TaskView, path: string | undefined, all: boolean): void {
  const links = view.links;
  if (links === undefined) {
    throw new UsageError("This API gives no links.", "Fetch the files: --download <dir>.");
  }
  if (path !== undefined) {
    const none = links.missing.find((file) => file.path === path);
    if (none !== undefined) {
      throw new UsageError(`${none.reason}.`, `Print it: agents artifacts ${view.task_id} ${path}`);
    }
    const artifact = findArtifact(view, path);
    session.answer({ ...artifact, links }, () => [artifact.url ?? ""]);
    return;
  }
  const told = links.missing.filter((file) => all || !file.path.endsWith(".meta.json"));
  session.answer({ artifacts: view.artifacts, links }, () => [
    ...artifactTree(view.artifacts, session.terminal.paint, { all }),
    ...told.map(({ reason }) => `  ${reason}`),
    `Each link opens in a browser for ${links.expires_seconds} s, without a key: whoever has it can read that file.`,
  ]);
}

async function artifacts(
  task_id: string | undefined,
  path: string | undefined,
  options: ArtifactsOptions,
  command: Command,
): Promise<void> {
  const { output, download: directory, all, links, ...filters } = options;
  if (task_id === undefined || Object.keys(filters).length > 0) {
    if (path !== undefined || output !== undefined || directory !== undefined || all || links) {
      throw new UsageError("Files are had from one task, without filters.", "Name the task alone.");
    }
    const session = openSession(command);
    session.interruptHints = [];
    return listArtifacts(session, { task: task_id, ...filters });
  }
  return ofTask(task_id, path, options, command);
}

async function ofTask(
  task_id: string,
  path: string | undefined,
  options: ArtifactsOptions,
  command: Command,
): Promise<void> {
  if (path === undefined && options.output !== undefined) {
    throw new UsageError("--output needs the path of an artifact.", "For all of them: --download <dir>.");
  }
  if (path !== undefined && options.download !== undefined) {
    throw new UsageError("--download fetches all artifacts.", "For this one: --output <file>.");
  }
  if (options.links && (options.download !== undefined || options.output !== undefined)) {
    throw new UsageError("--links saves nothing.", "Leave out --links, or --output and --download.");
  }
  const session = openSession(command);
  session.interruptHints = [];
  const view = await readTask(session.api, task_id, { links: options.links === true });
  if (options.links) return showLinks(session, view, path, options.all === true);
  if (options.download !== undefined) return download(session, view, options.download);
  if (path === undefined) {
    const tree = { url: session.api.url, all: options.all === true };
    return session.answer(view.artifacts, () => artifactTree(view.artifacts, session.terminal.paint, tree));
  }
  const artifact = findArtifact(view, path);
  const { output } = options;
  if (output !== undefined) {
    await save(session, artifact, output);
    return session.answer(artifact, () => [`Saved ${output}, ${formatBytes(artifact.bytes)}`]);
  }
  const bytes = await fetchArtifact(session.api, artifact);
  if (command.optsWithGlobals<{ json?: boolean }>().json) {
    const text = new TextDecoder().decode(bytes);
    return session.answer({ ...artifact, text }, () => []);
  }
  // Byte by byte, but for a terminal, which would act on some of them.
  if (process.stdout.isTTY && !command.optsWithGlobals<{ raw?: boolean }>().raw) {
    return session.terminal.text(new TextDecoder().decode(bytes));
  }
  process.stdout.write(bytes);
}

export function artifactsCommand(): Command {
  return new Command("artifacts")
    .summary("list, print or download what tasks made")
    .description(
      "List what a task made; with a path print that file, byte by byte (on a terminal with its control characters spelled out). Without a task, or with filters: list the artifact sets of completed steps, newest first.",
    )
    .argument("[task]", "task id")
    .argument("[path]", "for example codegen/diff.patch")
    .option("--output <file>", "save the file instead of printing it")
    .option("--download <dir>", "save all files, checked against their checksums")
    .option("--links", "print links that open in a browser without a key, for a few minutes")
    .option("--all", "list the .meta.json files and those of earlier rounds too")
    .option("--kind <folder>", "sets of this kind: codegen, build-test, index or run")
    .option("--producer <agent>", "sets this agent wrote")
    .addOption(new Option("--verdict <verdict>", "sets of steps that ended so").choices(Verdict.options))
    .option("--since <when>", "completed from then on: 1d, a date or an RFC 3339 instant", momentOption)
    .option("--until <when>", "completed before then", momentOption)
    .option("--latest", "with a task: its latest set of each kind")
    .option("--limit <number>", "how many sets", whole(1, 100))
    .option("--cursor <cursor>", "go on where another list ended")
    .addHelpText("after", EXAMPLES)
    .action(artifacts);
}
