import { resolve } from "node:path";
import { count, formatBytes } from "../cli/render/format.ts";
import { createTerminal } from "../cli/terminal.ts";
import { backUp } from "./backup/back-up.ts";
import { restore } from "./backup/restore.ts";
import { stageCopyPorts } from "./backup/stage-ports.ts";
import { DATA_DIR_HELP, enterStage, sayWhatFails } from "./enter-stage.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run backup -- --to <directory> [options]
       npm run backup -- --restore-from <directory> [options]

Copies a stage's table and bucket into a directory, or brings such a copy into a stage. Both work while the stage
does. A restore keeps what the table has already, so one that was stopped can be run again. Messages in queues are
not copied: the sweeper sends them again from the ledgers. The secrets (API_KEY_PEPPER, WEBHOOK_SECRET_ROOT) are not
in it; without them no restored key works. On AWS the table's point-in-time recovery and the bucket's replication
do this at any size: docs/guides/backup.md.

  --to <directory>             where the copy goes; new, or empty
  --restore-from <directory>   a copy to bring in
${DATA_DIR_HELP}
  --help               this text`;

const terminal = createTerminal(process.stdout, process.env);

async function main(): Promise<void> {
  const values = readOptions(HELP, {
    to: { type: "string" },
    "restore-from": { type: "string" },
    "data-dir": { type: "string" },
  });
  const { to, "restore-from": from } = values;
  if ((to === undefined) === (from === undefined)) {
    throw new Error(`Give either --to or --restore-from.\n\n${HELP}`);
  }
  const stage = enterStage(values["data-dir"]);
  const ports = stageCopyPorts((sentence) => terminal.live(`  ${sentence}`));
  if (to !== undefined) {
    terminal.lines(`Copying ${stage}`);
    const { items, objects, bytes } = await backUp(resolve(to), ports);
    terminal.live();
    terminal.lines(
      `${count(items, "item")} and ${count(objects, "object")}, ${formatBytes(bytes)}, are in ${to}.`,
    );
  } else if (from !== undefined) {
    terminal.lines(`Restoring into ${stage}`);
    const { items, objects, kept } = await restore(resolve(from), ports);
    terminal.live();
    const stayed = kept > 0 ? ` ${count(kept, "item")} that the table had already stayed.` : "";
    terminal.lines(`${count(items, "item")} and ${count(objects, "object")} were restored.${stayed}`);
  }
}

await sayWhatFails(main, terminal);
