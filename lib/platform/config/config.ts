import type { z } from "zod";
import { s3Client } from "#lib/platform/aws/clients.ts";
import { type ConfigDefinition, definitions } from "#lib/platform/config/config-definitions.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import { bundledFiles, fileSource, s3Source } from "#lib/platform/config/config-source.ts";
import { type ConfigStore, configStore } from "#lib/platform/config/config-store.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { queueServices, settings } from "#lib/platform/settings/environment.ts";

let shared: ConfigStore | undefined;

function store(): ConfigStore {
  if (shared) return shared;
  const { config_directory, config_objects } = settings();
  shared = configStore(Object.values(definitions), {
    source: config_objects
      ? s3Source(s3Client, config_objects.bucket, config_objects.prefix)
      : fileSource(config_directory),
    bundled: bundledFiles(config_directory),
    deployment: () => ({ services: queueServices() }),
    runtime: systemRuntime,
    log: jsonLog({ service: "config" }),
  });
  return shared;
}

function reading<Schema extends z.ZodType>(definition: ConfigDefinition<Schema>) {
  return (): Loaded<z.output<Schema>> => store().read(definition);
}

/** The configuration that an operator changes at run time. Read it again for every decision; never keep a copy. */
export const config = {
  environment: settings,
  alerts: reading(definitions.alerts),
  artifacts: reading(definitions.artifacts),
  circuitBreaker: reading(definitions.circuitBreaker),
  authentication: reading(definitions.authentication),
  codegen: reading(definitions.codegen),
  computationLimits: reading(definitions.computationLimits),
  graph: reading(definitions.graph),
  metrics: reading(definitions.metrics),
  outbound: reading(definitions.outbound),
  replays: reading(definitions.replays),
  retryPolicy: reading(definitions.retryPolicy),
  routePolicies: reading(definitions.routePolicies),
  sandboxLimits: reading(definitions.sandboxLimits),
  webhooks: reading(definitions.webhooks),
  workflows: reading(definitions.workflows),
  /** Updates all files when an invocation begins, and keeps them current until stopped. */
  follow: (log: Log) => store().follow(log),
  view: () => store().view(),
};
