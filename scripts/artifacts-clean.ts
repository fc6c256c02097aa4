import { documentClient, s3Client } from "#lib/platform/aws/clients.ts";
import { config } from "#lib/platform/config/config.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { Tenant } from "#schemas/primitives.ts";
import { parseSpan } from "../cli/parse-span.ts";
import { count, formatBytes } from "../cli/render/format.ts";
import { createTerminal } from "../cli/terminal.ts";
import { clean } from "./artifacts-clean/clean.ts";
import { DATA_DIR_HELP, enterStage, sayWhatFails } from "./enter-stage.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run artifacts:clean -- [options]

Deletes what is past its time (configs/artifacts.json): ended tasks with all that is theirs, and
blobs, uploads and graph snapshots that nothing refers to. Open tasks and current snapshots are never
touched. Safe to stop and to run again.

  --dry-run            say what would go, and change nothing
  --older-than <span>  ended tasks go after this time already, for example 30d or 12h
  --tenant <name>      only this tenant's
${DATA_DIR_HELP}
  --help               this text`;

const terminal = createTerminal(process.stdout, process.env);

async function main(): Promise<void> {
  const values = readOptions(HELP, {
    "dry-run": { type: "boolean", default: false },
    "older-than": { type: "string" },
    tenant: { type: "string" },
    "data-dir": { type: "string" },
  });
  const older = values["older-than"];
  const request = {
    dry_run: values["dry-run"],
    older_than_ms: older === undefined ? undefined : parseSpan(older),
    tenant: values.tenant === undefined ? undefined : Tenant.parse(values.tenant),
  };
  terminal.lines(`${request.dry_run ? "Looking at" : "Cleaning"} ${enterStage(values["data-dir"])}`);
  const { table_name, artifact_bucket } = config.environment();
  // On AWS the policy is an object in the bucket: look at it once.
  const following = await config.follow(jsonLog({ service: "artifacts-clean" }));
  following.stop(makeCounters());
  const ports = {
    table: documentClient(),
    table_name,
    s3: s3Client(),
    bucket: artifact_bucket,
    runtime: systemRuntime,
    retention: config.artifacts().value,
    tell: (sentence: string, transient: boolean) =>
      transient ? terminal.live(`  ${sentence}`) : terminal.lines(`  ${sentence}`),
  };
  const { tenants, tasks, objects, bytes } = await clean(request, ports);
  terminal.live();
  const what = `${count(tasks, "task")} and ${count(objects, "object")}, ${formatBytes(bytes)}`;
  const done = request.dry_run ? "would be deleted; nothing was" : "deleted";
  terminal.lines(`${what}, of ${count(tenants, "tenant")} ${done}.`);
}

await sayWhatFails(main, terminal);
