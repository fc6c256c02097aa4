import { realpathSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { IdempotencyKey } from "#schemas/http/idempotency-key.ts";
import { Submission } from "#schemas/messages/submission.ts";
import { CliError, UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { sendSource } from "../send-source.ts";
import { submitTask } from "../submit-task.ts";
import { createTerminal } from "../terminal.ts";
import { defineTool, QUOTES_OTHERS, type Tool, type ToolContext } from "./tool.ts";

const [Inline, _Upload, Git] = Submission.shape.source.options;
const Directory = z.strictObject({
  kind: z.literal("directory"),
  path: z
    .string()
    .min(1)
    .max(4096)
    .describe("on this machine, relative to the directory the server was started for; nothing outside of it"),
});

const SubmitInput = Submission.extend({
  source: z
    .discriminatedUnion("kind", [Directory, Inline, Git])
    .describe(
      "directory: packed without what git ignores, and uploaded; inline: path → text; git: cloned by http(s)",
    ),
  idempotency_key: IdempotencyKey.optional().describe("the same key never makes a second task"),
});

/**
 * A directory inside of the root, however it is spelled.
 * @throws UsageError when it is not there, CliError `DIRECTORY_OUTSIDE` when it is outside or a link leads out
 */
export function directoryInside(root: string, path: string): string {
  const wanted = resolve(root, path);
  const refuse = (what: string) => {
    const hints = ["Start `agents mcp --directory <dir>` for the directory that may be submitted."];
    return new CliError(exitCode.usage, "DIRECTORY_OUTSIDE", `${what} is not inside of ${root}.`, { hints });
  };
  const isOutside = (from: string) => {
    const way = relative(root, from);
    return way.split(sep)[0] === ".." || isAbsolute(way);
  };
  // Before the disk is asked, so that the answer does not say what exists outside.
  if (isOutside(wanted)) throw refuse(path);
  let real: string;
  try {
    real = realpathSync(wanted);
  } catch {
    throw new UsageError(
      `There is no ${path} in ${root}.`,
      "Give a directory below it, or `.` for all of it.",
    );
  }
  if (isOutside(real)) throw refuse(path);
  return real;
}

async function sourceOf({ source }: z.output<typeof SubmitInput>, { api, root }: ToolContext) {
  if (source.kind !== "directory") return source;
  const quiet = createTerminal(process.stderr, process.env);
  return sendSource(api, directoryInside(root, source.path), undefined, quiet);
}

export const submitTools: Tool[] = [
  defineTool({
    name: "submit_task",
    title: "Submit a task",
    description: `Submit a source and what is to be done with it; then follow_task with the task_id of the answer. Workflows: buildtest (needs test), change (needs change and test; a patch, ast-grep rules or words for a model), run (needs command), index (makes a repository searchable). Commands run in the platform's sandbox. ${QUOTES_OTHERS}`,
    input: SubmitInput,
    writes: true,
    async run(input, context) {
      const { idempotency_key, source: _, ...fields } = input;
      const source = await sourceOf(input, context);
      const terminal = createTerminal(process.stderr, process.env);
      const view = await submitTask(context.api, { ...fields, source }, idempotency_key, terminal);
      const { task_id, status, workflow, repository, notices } = view;
      return { document: { task_id, status, workflow, repository, ...(notices && { notices }) } };
    },
  }),
];
