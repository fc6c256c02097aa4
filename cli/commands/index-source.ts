import { Command } from "commander";
import { conclude } from "../conclude.ts";
import { sendSource } from "../send-source.ts";
import { openSession } from "../session.ts";
import { checkSubmission, submitTask } from "../submit-task.ts";

interface IndexOptions {
  repository?: string;
  ref?: string;
  wait?: boolean;
}

const EXAMPLES = `
Examples:
  $ agents index . --repository shop --wait
  $ agents query "where are prices rounded" --repository shop`;

async function index(source: string, options: IndexOptions, command: Command): Promise<void> {
  const fields = {
    workflow: "index",
    ...(options.repository !== undefined && { repository: options.repository }),
  };
  checkSubmission({ ...fields, source: { kind: "upload", upload_id: "0".repeat(64) } });
  const session = openSession(command);
  const sent = await sendSource(session.api, source, options.ref, session.terminal);
  session.interruptHints = ["A task may have been accepted: agents tasks"];
  const view = await submitTask(session.api, { ...fields, source: sent }, undefined, session.terminal);
  process.exitCode = await conclude(session, view, { wait: options.wait === true, steps: false });
}

export function indexCommand(): Command {
  return new Command("index")
    .summary("read a source into the code graph")
    .description("Read a source into the code graph, so that `agents query` finds its code.")
    .argument("<source>", "directory, .tar.gz or git URL")
    .option("--repository <name>", "name to index it under")
    .option("--ref <ref>", "branch, tag or commit of a git URL")
    .option("--wait", "follow the task to its end")
    .addHelpText("after", EXAMPLES)
    .action(index);
}
