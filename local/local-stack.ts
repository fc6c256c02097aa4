import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { documentClient } from "#lib/platform/aws/clients.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { sweepAbandonedDirectories } from "#lib/platform/processes/abandoned-directories.ts";
import { tellOfTasks } from "#lib/work/tasks/task-news.ts";
import type { Backend } from "./backend.ts";
import { checkConfigs } from "./check-configs.ts";
import { openDataDirectory } from "./data-directory.ts";
import { ensureDevelopmentKey } from "./development-key.ts";
import { embeddedBackend } from "./emulators/embedded-backend.ts";
import { eventSourceMappings } from "./event-source/event-source-mappings.ts";
import { type Poller, startPoller } from "./event-source/poller.ts";
import { oneAtATime, restoringSource } from "./event-source/restoring-source.ts";
import { sqsSource } from "./event-source/sqs-source.ts";
import {
  closeInvocationPort,
  type Invoke,
  inProcessInvoke,
  type LoadableFunction,
  loadHandlers,
  serveInvocations,
} from "./functions.ts";
import { localstackBackend } from "./localstack/localstack-backend.ts";
import { untilListening } from "./ports.ts";
import type { Resource } from "./resources/planned-resources.ts";
import { type ResourceLookup, resolveIntrinsics } from "./resources/resolve-intrinsics.ts";
import { makeActivity, scheduledFunctions, startSchedules } from "./schedules.ts";
import { watchTaskWrites } from "./task-writes.ts";

/** The part of serverless.yml the stack reads, with its variables resolved. */
export interface Service {
  service: string;
  provider: { stage: string; region: string; environment?: Record<string, unknown> };
  functions: Record<string, LoadableFunction>;
  resources?: { Resources?: Record<string, Resource> };
  custom?: { local?: object };
}

/** `custom.local` in serverless.yml. */
const DEFAULTS = {
  /** An invocation waits for the emulators about as long as it computes. */
  concurrency_max: 2 * availableParallelism(),
  schedule_seconds: 5,
  rarer_schedules_seconds: {} as Record<string, number>,
  stop_seconds: 10,
  tenant: "local",
};

export interface Ready {
  url: string;
  data_directory: string;
  credentials_file: string | undefined;
  broken_functions: string[];
}

export interface LocalStack {
  /** For serverless-offline, which serves the HTTP API. */
  offline_options: Record<string, unknown>;
  /** Starts event sources and schedules once the HTTP API listens, then tells. */
  whenListening(ready: (ready: Ready) => void): void;
  /** Stops event sources and schedules; running invocations get `stop_seconds`. */
  stopInvoking(): Promise<void>;
  /** Stops what it started and frees the data directory. */
  close(): Promise<void>;
}

/**
 * Starts what stands for AWS, with the declared resources in it, and puts real names into every function's
 * environment, which serverless-offline leaves unresolved.
 */
export async function startLocalStack(
  { service, serviceDir }: { service: Service; serviceDir: string },
  http_port: number,
  log: Log,
): Promise<LocalStack> {
  const settings = { ...DEFAULTS, ...service.custom?.local };
  if ("indexing" in service.functions && process.env.LOCAL_WARM_EMBEDDER !== "no") minilmEmbedder().warm();
  checkConfigs(service.provider.environment ?? {}, serviceDir);
  void sweepAbandonedDirectories(); // of a stack that was killed
  const data = openDataDirectory(process.env.LOCAL_DATA_DIR ?? join(serviceDir, ".local"));
  const { region, stage } = service.provider;
  const names = { service: service.service, stage, region };
  const options = { resources: service.resources?.Resources ?? {}, names, http_port };
  const backend = await (stage === "localstack"
    ? localstackBackend(options, serviceDir)
    : embeddedBackend(options, data));
  const { lookup, pepper } = backend;
  const environment = {
    ...backend.environment,
    API_KEY_PEPPER: pepper,
    WEBHOOK_SECRET_ROOT: backend.webhook_secret_root,
  };
  resolveEnvironments(service, lookup, environment);
  // For tools that speak to the emulators as an operator speaks to AWS.
  const facts = JSON.stringify(service.provider.environment, null, 2);
  writeFileSync(join(data.path, "environment.json"), `${facts}\n`, { mode: 0o600 });
  const url = `http://127.0.0.1:${http_port}`;
  const { credentials_file } = data;
  const { tenant } = settings;
  const table_name = service.provider.environment?.TABLE_NAME as string | undefined;
  const has_keys = table_name !== undefined && "authorizer" in service.functions;
  if (has_keys) await ensureDevelopmentKey({ table_name, pepper, credentials_file, url, tenant });
  const mappings = eventSourceMappings(service.functions, lookup, settings.concurrency_max);
  const scheduled = scheduledFunctions(service.functions);
  for (const { events = [] } of Object.values(service.functions)) {
    for (const event of events) delete event.schedule; // serverless-offline would run them too
  }
  const handlers = await loadHandlers(serviceDir, service.functions, log);
  const broken_functions = Object.keys(service.functions).filter((key) => !handlers.has(key));
  if (table_name !== undefined) tellOfTasks(watchTaskWrites(documentClient()));

  const invocation_port = process.env.LOCAL_LAMBDA_PORT;
  if (invocation_port === undefined) closeInvocationPort();
  const invoke = inProcessInvoke(service.functions, handlers);
  serveInvocations(invoke, log);
  const activity = makeActivity();
  const secondsOf = (key: string) => settings.rarer_schedules_seconds[key] ?? settings.schedule_seconds;
  const invokeBusily: Invoke = (function_key, event) => {
    activity.happened();
    return invoke(function_key, event);
  };
  const stopping = new AbortController();
  const running: { stop(stop_ms: number): Promise<unknown> }[] = [];
  return {
    offline_options: {
      host: "127.0.0.1",
      httpPort: http_port,
      ...(invocation_port !== undefined && { lambdaPort: Number(invocation_port) }),
      noPrependStageInUrl: true,
      useInProcess: true,
      disableCookieValidation: true, // no route reads cookies
    },
    whenListening(ready) {
      void untilListening(http_port, stopping.signal).then((listening) => {
        if (!listening) return;
        running.push(
          ...startPollers(mappings, backend, invokeBusily, log),
          startSchedules(scheduled, secondsOf, { invoke, log, region, activity }),
        );
        const key_file = has_keys ? credentials_file : undefined;
        ready({ url, data_directory: data.path, credentials_file: key_file, broken_functions });
      });
    },
    async stopInvoking() {
      stopping.abort();
      await Promise.all(running.splice(0).map((part) => part.stop(settings.stop_seconds * 1000)));
    },
    async close() {
      await backend.close();
      data.release();
    },
  };
}

function resolveEnvironments(service: Service, lookup: ResourceLookup, environment: Record<string, string>) {
  const { provider } = service;
  const shared = resolveIntrinsics(provider.environment ?? {}, lookup) as Record<string, string>;
  provider.environment = { ...shared, ...environment };
  for (const definition of Object.values(service.functions)) {
    const own = resolveIntrinsics(definition.environment ?? {}, lookup) as Record<string, string>;
    definition.environment = { ...shared, ...own, ...environment };
  }
}

function startPollers(
  mappings: ReturnType<typeof eventSourceMappings>,
  { sqs_url, restore }: Backend,
  invoke: Invoke,
  log: Log,
): Poller[] {
  const client = new SQSClient({ endpoint: sqs_url, maxAttempts: 1 });
  const restoreOnce = restore && oneAtATime(restore);
  return mappings.map((mapping) => {
    const [, , , , account_id, name] = mapping.queue_arn.split(":");
    const source = sqsSource(client, `${sqs_url}/${account_id}/${name}`);
    return startPoller(mapping, {
      source: restoreOnce ? restoringSource(source, restoreOnce) : source,
      invoke: (event) => invoke(mapping.function_key, event),
      log,
    });
  });
}
