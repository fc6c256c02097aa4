import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { withAudit } from "#lib/http/audit/record-audit.ts";
import { draftApiKey } from "#lib/http/auth/api-key.ts";
import { putKey } from "#lib/http/auth/key-store.ts";
import { definitions } from "#lib/platform/config/config-definitions.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { Tenant } from "#schemas/primitives.ts";
import { Scope } from "#schemas/records/api-key.ts";
import { scopesOption } from "../cli/parse-option.ts";
import { parseSpan } from "../cli/parse-span.ts";
import { stagePorts } from "./keys/stage-ports.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run keys:bootstrap -- --tenant <tenant> --stage <stage> [options]

Makes a tenant's first API key, with your AWS credentials. All further keys: agents keys create.

  --tenant <tenant>   whose key it is
  --stage <stage>     the deployed stage; local for the running local stack
  --name <name>       what it is for (default: first administrator)
  --scopes <scopes>   default: ${Scope.options.join(",")}
  --expires <span>    default: key_days_default of configs/authentication.json
  --data-dir <path>   of the local stack (default .local)
  --help              this text

Standard output has the key and nothing else.`;

async function main(): Promise<void> {
  const values = readOptions(HELP, {
    tenant: { type: "string" },
    stage: { type: "string" },
    name: { type: "string", default: "first administrator" },
    scopes: { type: "string", default: Scope.options.join(",") },
    expires: { type: "string" },
    "data-dir": { type: "string", default: ".local" },
  });
  if (!values.stage) throw new Error("Say which stage: --stage prod, or --stage local.");
  const tenant = Tenant.safeParse(values.tenant);
  if (!tenant.success) throw new Error("Say whose key it is: --tenant, 1 to 39 of a-z 0-9 -");
  const policy = definitions.authentication.schema.parse(
    JSON.parse(readFileSync("configs/authentication.json", "utf8")),
  );
  const life_ms = values.expires ? parseSpan(values.expires) : policy.key_days_default * 86_400_000;
  const ports = await stagePorts({ stage: values.stage, data_dir: values["data-dir"] });
  const subject = `aws:${userInfo().username.replace(/[^\x21-\x7e]/g, "_")}`;
  const wish = {
    tenant: tenant.data,
    name: values.name,
    scopes: scopesOption(values.scopes),
    created_by: subject,
    valid_until: instant(Date.now() + life_ms),
  };
  const { key, record } = draftApiKey(wish, ports);
  const detail = { name: wish.name, scopes: wish.scopes.join(" "), valid_until: wish.valid_until };
  const note = { tenant: tenant.data, subject, action: "key.create", target: record.key_id, detail };
  await withAudit(note, { ...ports, audit_days: policy.audit_days }, () => putKey(record, ports));
  console.error(`A key for tenant ${tenant.data} (${detail.scopes}), until ${wish.valid_until}.`);
  console.error("Keep it now: it cannot be shown again.\n");
  console.log(key);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
