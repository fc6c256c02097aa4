import type { S3Client } from "@aws-sdk/client-s3";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import type { HttpPlatform } from "#lib/http/platform.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { FollowTask } from "#lib/work/tasks/task-news.ts";
import type { CodegenConfig } from "#schemas/config/codegen.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { ReplaysConfig } from "#schemas/config/replays.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import type { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";
import type { WorkflowsConfig } from "#schemas/config/workflows.ts";

/** The dependencies of the gateway in addition to the HTTP platform. */
export interface GatewayPorts extends HttpPlatform {
  table_name: string;
  s3: S3Client;
  workflows(): WorkflowsConfig["workflows"];
  /** SHA-256 of the workflows file, logged with every accepted task. */
  workflowsHash?(): string;
  sandboxLimits(): SandboxLimitsConfig;
  /** Which models answer changes in words. */
  codegen(): CodegenConfig;
  outbound(): OutboundRules;
  /** Checks a submitted change, under limits. */
  code: Pick<ConfinedCode, "parseDiff" | "checkRules">;
  retryPolicy(): Loaded<RetryPolicyConfig>;
  followTask: FollowTask;
  /** Limits of replays of dead letters. */
  replays(): ReplaysConfig;
  /** The services that have a queue. */
  services(): string[];
}
