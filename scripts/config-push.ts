import { findStage } from "./config/find-stage.ts";
import { pushConfig } from "./config/push-config.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run config:push -- --stage <stage> [--dry-run] [--directory <path>]

Checks every file in configs/ as the platform would, and puts those that differ where the stage
takes them from. Nothing is sent unless all are good. In force within 10 s; see: agents policies.

  --stage <stage>     as deployed, for example prod; \`local\` is the stack in .local
  --bucket <name>     the stage's bucket, when it is not to be looked up
  --prefix <prefix>   where in the bucket (configs/)
  --directory <path>  where the files are (configs)
  --dry-run           check and compare only
  --help              show this`;

const values = readOptions(HELP, {
  stage: { type: "string" },
  bucket: { type: "string" },
  prefix: { type: "string", default: "configs/" },
  directory: { type: "string", default: "configs" },
  "dry-run": { type: "boolean", default: false },
});

try {
  if (values.stage === undefined && values.bucket === undefined) {
    console.error(`Say which stage: --stage prod.\n\n${HELP}`);
    process.exitCode = 2;
  } else {
    const { s3, bucket } = await findStage(values);
    const { directory, prefix } = values;
    const pushed = await pushConfig({ s3, bucket, prefix, directory, dry_run: values["dry-run"] });
    for (const line of pushed.lines) console.log(line);
    if (!pushed.ok) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
