import { addRoles } from "./access/function-roles.ts";
import { addAlarms } from "./alarms.ts";
import { addDashboard } from "./dashboard.ts";
import { expandAgents, type ServiceDeclaration } from "./expand-agents.ts";
import { guardRoutes } from "./guard-routes.ts";
import { limitConcurrency } from "./stage-settings.ts";

interface Serverless {
  service: ServiceDeclaration;
  processedInput: { commands: readonly string[] };
  getProvider(name: "aws"): { getStage(): string };
  configSchemaHandler: { defineFunctionProperties(provider: string, schema: object): void };
}

/**
 * Any file: `npm run package` makes the code, and names it in the template that the framework renders.
 * serverless-offline runs the sources.
 */
const PLACEHOLDER = "package.json";

/** The serverless plugin that makes one `agent:` block all an agent needs in serverless.yml, and a stage what AWS wants. */
class AgentsPlugin {
  /** Code is attached to the rendered template by `npm run package`; the framework's own upload has none. */
  readonly hooks = {
    "before:deploy:deploy": () => {
      throw new Error("deploy what `npm run package` makes, as docs/guides/deploy.md says");
    },
  };

  constructor(serverless: Serverless) {
    serverless.configSchemaHandler.defineFunctionProperties("aws", {
      properties: {
        agent: {
          type: "object",
          properties: { batch_size: { type: "integer" }, concurrency_max: { type: "integer" } },
          additionalProperties: false,
        },
        access: { type: "array", items: { type: "string" } },
        container: { type: "string" },
      },
    });
    const { service } = serverless;
    service.provider.stage = serverless.getProvider("aws").getStage(); // `--stage`, if given
    expandAgents(service);
    guardRoutes(service);
    if (service.provider.stage === "local") return; // emulators ask nobody for permission, and watch nothing
    if (!serverless.processedInput.commands.includes("offline")) service.package = { artifact: PLACEHOLDER };
    addRoles(service);
    addAlarms(service);
    addDashboard(service);
    limitConcurrency(service);
  }
}

// The framework requires a constructor; this is how a module answers `require` with one.
export { AgentsPlugin as "module.exports" };
