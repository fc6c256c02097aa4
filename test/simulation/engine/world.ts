import type { Table } from "../dynamodb/table.ts";
import type { Bucket } from "../s3/bucket.ts";
import type { Queue } from "../sqs/queue.ts";
import type { Deployment } from "../workload/deployment.ts";
import type { FaultProfile } from "./faults.ts";
import type { Invocation } from "./invocation.ts";
import type { Mutation } from "./mutation.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

export interface Violation {
  invariant: string;
  detail: string;
}

/** Everything of one seed. */
export interface World {
  seed: number;
  random: Random;
  scheduler: Scheduler;
  faults: FaultProfile;
  /** True while faults are injected; afterwards everything works and all must end. */
  faulty(): boolean;
  /** What codegen depends on refuses work from one of these times to the other, and says so. */
  quota_since: number;
  quota_until: number;
  /** Until then the cause of a failure for good stands: every run of a step meets it. */
  broken_until?: number;
  /** Operations are still under way until then. */
  late_until: number;
  deployment: Deployment;
  mutation: Mutation;
  table: Table;
  bucket: Bucket;
  queues: Map<string, Queue>;
  invocations: Set<Invocation>;
  /** What webhooks' receivers were told: webhook id → body. */
  received: Map<string, string>;
  /** Keys of the questions whose answers somebody was told are stored. */
  stored_answers: Set<string>;
  /** What was exercised, by name. */
  counts: Map<string, number>;
  count(name: string, amount?: number): void;
  violations: Violation[];
  violate(invariant: string, detail: string): void;
}
