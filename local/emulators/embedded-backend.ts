import type { Backend, BackendOptions } from "../backend.ts";
import type { DataDirectory } from "../data-directory.ts";
import { ensureSecret } from "../development-key.ts";
import { enterLocalEnvironment, localEnvironment } from "../local-environment.ts";
import { createResources } from "../resources/create-resources.ts";
import { startEmulatorProcess } from "./emulator-process.ts";

/** The emulators of the stage `local`, in a process of their own, their data kept in the directory. */
export async function embeddedBackend(
  { resources, names, http_port }: BackendOptions,
  data: DataDirectory,
): Promise<Backend> {
  const emulators = await startEmulatorProcess(data, http_port);
  const environment = localEnvironment(emulators, names.region);
  enterLocalEnvironment(environment);
  const sqs_url = emulators.sqs_and_s3_url;
  const lookup = await createResources(resources, names, sqs_url);
  return {
    environment,
    lookup,
    sqs_url,
    pepper: ensureSecret(data.path, "pepper"),
    webhook_secret_root: ensureSecret(data.path, "webhook-secret-root"),
    close: () => emulators.close(),
  };
}
