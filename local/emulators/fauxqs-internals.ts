import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { buildApp } from "fauxqs";

interface EmulatedMessage {
  messageId: string;
  body: string;
  messageAttributes: Record<string, unknown>;
  messageGroupId?: string;
}

/** One emulated queue. `dequeue` counts a receive and does the native redrive to the dead-letter queue. */
export interface EmulatedQueue {
  name: string;
  url: string;
  arn: string;
  attributes: Record<string, string>;
  messages: EmulatedMessage[];
  persistence?: Persistence;
  isFifo(): boolean;
  enqueue(message: EmulatedMessage): void;
  dequeue(...parameters: unknown[]): unknown[];
  processTimers(): void;
}

export interface QueueStore {
  host: string;
  region?: string;
  persistence?: Persistence;
  createQueue(...parameters: unknown[]): EmulatedQueue;
  getQueue(url: string): EmulatedQueue | undefined;
  getQueueByArn(arn: string): EmulatedQueue | undefined;
  allQueues(): Iterable<EmulatedQueue>;
}

export interface StoredObject {
  key: string;
  etag: string;
}

interface ListOptions {
  prefix?: string;
  delimiter?: string;
  maxKeys?: number;
  startAfter?: string;
  marker?: string;
}

export interface ObjectStore {
  persistence?: Persistence;
  buckets: Map<string, Map<string, StoredObject>>;
  listObjects(
    bucket: string,
    options?: ListOptions,
  ): { objects: StoredObject[]; commonPrefixes: string[]; isTruncated: boolean };
}

export interface Persistence {
  db: DatabaseSync;
  load(queues: QueueStore, topics: object, objects: ObjectStore): void;
  transaction(work: () => void): void;
  deleteMessage(message_id: string): void;
  updateMessageReady(message_id: string): void;
  close(): void;
}

export interface FauxqsInternals {
  buildApp: typeof buildApp;
  SqsStore: {
    new (): QueueStore;
    createMessage(
      body: string,
      attributes: Record<string, unknown>,
      delay_seconds?: number,
      group?: string,
    ): EmulatedMessage;
  };
  SnsStore: new () => { persistence?: Persistence };
  S3Store: new () => ObjectStore;
  PersistenceManager: new (directory: string) => Persistence;
  decodeAwsChunked(body: Buffer): { body: Buffer; trailers: Record<string, string> };
}

/**
 * fauxqs exports a server that listens on every interface; its parts, which we wire to loopback and
 * repair, are not exported. Its version is pinned exactly for this reason.
 */
export async function loadFauxqsInternals(): Promise<FauxqsInternals> {
  const manifest = findPackageJSON("fauxqs", import.meta.url);
  if (!manifest) throw new Error("The package fauxqs is not installed: run `npm install`.");
  const part = (path: string) => import(pathToFileURL(join(dirname(manifest), "dist", path)).href);
  const [app, sqs, types, sns, s3, persistence, chunked] = await Promise.all([
    part("app.js"),
    part("sqs/sqsStore.js"),
    part("sqs/sqsTypes.js"),
    part("sns/snsStore.js"),
    part("s3/s3Store.js"),
    part("persistence.js"),
    part("s3/chunkedEncoding.js"),
  ]);
  takeAllOfUnicode(types.INVALID_MESSAGE_BODY_CHAR);
  return {
    buildApp: app.buildApp,
    SqsStore: sqs.SqsStore,
    SnsStore: sns.SnsStore,
    S3Store: s3.S3Store,
    PersistenceManager: persistence.PersistenceManager,
    decodeAwsChunked: chunked.decodeAwsChunked,
  };
}

/** fauxqs takes no characters beyond U+FFFF, such as emoji; SQS does. */
function takeAllOfUnicode(refused: RegExp): void {
  const refused_by_sqs = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
  refused.test = (text) => refused_by_sqs.test(text);
}
