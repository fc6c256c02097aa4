import type { Resource, StackNames } from "./resources/planned-resources.ts";
import type { ResourceLookup } from "./resources/resolve-intrinsics.ts";

/** What stands for AWS around the functions, with the declared resources in it. */
export interface Backend {
  /** The variables that lead every AWS SDK in the process to it. */
  environment: Record<string, string>;
  /** What Ref and Fn::GetAtt give for what it holds. */
  lookup: ResourceLookup;
  sqs_url: string;
  /** What API keys are hashed with. */
  pepper: string;
  /** What webhooks' secrets follow from. */
  webhook_secret_root: string;
  /** Makes anew the queues that were there and are gone; undefined where that cannot be. */
  restore?: () => Promise<void>;
  close(): Promise<void>;
}

export interface BackendOptions {
  /** What serverless.yml declares by itself. */
  resources: Record<string, Resource>;
  names: StackNames;
  http_port: number;
}
