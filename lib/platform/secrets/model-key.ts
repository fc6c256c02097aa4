import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { isDeployed, settings } from "#lib/platform/settings/environment.ts";

/** How long a key is used before it is fetched again, so that a rotated key is taken up without a deployment. */
const KEPT_MS = 300_000;
const SERVICE = "distributed-agents";

export interface KeyPorts {
  /** Keys of the environment, by name. They come first. */
  api_keys: Partial<Record<string, string>>;
  /** The secret of that id; undefined when there is none. Absent where there is no Secrets Manager. */
  fetchSecret?: ((secret_id: string) => Promise<string | undefined>) | undefined;
  stage: string;
  now(): number;
}

/** Reads keys by their names. Empty for one that is not set. */
export type ReadKey = (name: string) => Promise<string>;

/**
 * Reads keys from the environment, else from Secrets Manager under `distributed-agents/<stage>/<name>`, once in five
 * minutes each; calls at the same time share one request. A key that is missing there is looked for again at the next
 * call. No key is ever logged.
 */
export function keyReader({ api_keys, fetchSecret, stage, now }: KeyPorts): ReadKey {
  const kept = new Map<string, { value: Promise<string | undefined>; until: number }>();
  const fetched = async (name: string, fetch: NonNullable<KeyPorts["fetchSecret"]>) => {
    const known = kept.get(name);
    if (known && known.until > now()) return known.value;
    const value = fetch(`${SERVICE}/${stage}/${name}`);
    kept.set(name, { value, until: now() + KEPT_MS });
    const forget = () => kept.delete(name);
    value.then((key) => key === undefined && forget(), forget);
    return value;
  };
  return async (name) => {
    const own = api_keys[name];
    if (own) return own;
    return (fetchSecret && (await fetched(name, fetchSecret))) ?? "";
  };
}

let shared: ReadKey | undefined;

/**
 * The key of that name for this process; empty when it is not set.
 *
 * @throws RetryableFault `MODEL_KEY_UNAVAILABLE`
 */
export async function modelKey(name: string): Promise<string> {
  const { stage, model } = settings();
  shared ??= keyReader({
    api_keys: model?.api_keys ?? {},
    fetchSecret: isDeployed() ? fetchSecret : undefined,
    stage,
    now: Date.now,
  });
  return shared(name);
}

/**
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html. Loaded when a key is asked
 * for first: a patch needs none.
 */
async function fetchSecret(SecretId: string): Promise<string | undefined> {
  const { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } = await import(
    "@aws-sdk/client-secrets-manager"
  );
  const client = new SecretsManagerClient({});
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString || undefined;
  } catch (cause) {
    if (cause instanceof ResourceNotFoundException) return undefined;
    throw new RetryableFault(
      "MODEL_KEY_UNAVAILABLE",
      `The secret ${SecretId} could not be read from Secrets Manager. It is tried again.`,
      { cause, dependency: "secrets" },
    );
  } finally {
    client.destroy();
  }
}
