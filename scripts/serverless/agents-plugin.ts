import { expandAgents, type ServiceDeclaration } from "./expand-agents.ts";
import { guardRoutes } from "./guard-routes.ts";

interface Serverless {
  service: ServiceDeclaration;
  getProvider(name: "aws"): { getStage(): string };
  configSchemaHandler: { defineFunctionProperties(provider: string, schema: object): void };
}

/** The serverless plugin that makes one `agent:` block all an agent needs in serverless.yml. */
class AgentsPlugin {
  readonly hooks = {};

  constructor(serverless: Serverless) {
    serverless.configSchemaHandler.defineFunctionProperties("aws", {
      properties: {
        agent: {
          type: "object",
          properties: { batch_size: { type: "integer" }, concurrency_max: { type: "integer" } },
          additionalProperties: false,
        },
      },
    });
    const { service } = serverless;
    service.provider.stage = serverless.getProvider("aws").getStage(); // `--stage`, if given
    expandAgents(service);
    guardRoutes(service);
  }
}

// The framework requires a constructor; this is how a module answers `require` with one.
export { AgentsPlugin as "module.exports" };
