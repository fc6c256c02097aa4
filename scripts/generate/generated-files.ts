import type { Tree } from "../tree/tree.ts";
import { agentMessagesModule } from "./agent-messages-module.ts";
import { awsDifferencesPage } from "./aws-differences-page.ts";
import { configurationPage } from "./configuration-page.ts";
import { errorsPage } from "./errors-page.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { grafanaDashboard } from "./grafana-dashboard.ts";
import { logsPage } from "./logs-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { openapiFile } from "./openapi-file.ts";
import { optionBlocks } from "./option-blocks.ts";
import { ALERTS_FILE, prometheusRulesFile } from "./prometheus-rules-file.ts";
import { publishedSchemas } from "./published-schemas.ts";
import { schemaFile } from "./schema-file.ts";
import { tablePage } from "./table-page.ts";

const CATALOGUE = "lib/platform/table/items.ts";
const SCHEMA_FOLDER = "schemas/json/";

/** Everything `npm run generate` is responsible for, schemas nobody exports any more included. */
export async function generatedFiles(tree: Tree): Promise<GeneratedFile[]> {
  const schemas = await publishedSchemas(tree);
  const files = schemas.map((schema) => ({
    path: `${SCHEMA_FOLDER}${schema.name}.schema.json`,
    text: schemaFile(schema),
  }));
  const current = [...files, ...(await openapiFile(tree, schemas))];
  const wanted = new Set(current.map(({ path }) => path));
  const stale = tree.files
    .filter((path) => path.startsWith(SCHEMA_FOLDER) && !wanted.has(path))
    .map((path) => ({ path }));
  return [
    ...current,
    ...stale,
    { path: "lib/platform/config/agent-messages.ts", text: await agentMessagesModule(tree) },
    { path: "docs/reference/configuration.md", text: configurationPage(tree, schemas) },
    ...optionBlocks(tree, schemas),
    ...(tree.has(CATALOGUE) ? [{ path: "docs/reference/table.md", text: tablePage(tree, schemas) }] : []),
    { path: "docs/reference/aws-differences.md", text: await awsDifferencesPage(tree) },
    { path: "docs/reference/errors.md", text: errorsPage() },
    { path: "docs/reference/logs.md", text: logsPage() },
    { path: "docs/reference/metrics.md", text: metricsPage() },
    { path: "dashboards/grafana.json", text: grafanaDashboard() },
    ...(tree.has(ALERTS_FILE) ? [prometheusRulesFile(tree)] : []),
  ];
}
