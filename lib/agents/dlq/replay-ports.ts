import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** What replaying failed messages needs of its surroundings. */
export interface ReplayPorts extends SendPorts {
  table: TableClient;
  table_name: string;
  artifacts(): Loaded<ArtifactsConfig>;
  retryPolicy(): Loaded<RetryPolicyConfig>;
  deadLetterQueueUrl(service: string): string;
}
