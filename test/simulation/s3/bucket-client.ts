import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { META_SUFFIX } from "#lib/work/artifacts/artifact-meta.ts";
import type { Invocation } from "../engine/invocation.ts";
import { call } from "../engine/network.ts";
import type { World } from "../engine/world.ts";

const REPORT_META = `/report.json${META_SUFFIX}`;

/** S3 as one invocation's client sees it. */
export function bucketClient(world: World, invocation: Invocation): S3Client {
  const { bucket, mutation } = world;
  const operation = (command: unknown): { label: string; effect: () => unknown } => {
    if (command instanceof PutObjectCommand) {
      const { Key = "", Body, ContentType = "" } = command.input;
      const effect = () => {
        if (Key.endsWith(REPORT_META) && !bucket.find(Key.slice(0, -META_SUFFIX.length))) {
          world.violate("a report's meta file comes last", `${Key} stands before its report`);
        }
        bucket.put(Key, Body as Uint8Array | string, ContentType);
      };
      return { label: `put object ${Key}`, effect };
    }
    if (command instanceof GetObjectCommand) {
      const { Key = "" } = command.input;
      return { label: `get object ${Key}`, effect: () => ({ Body: chunks(bucket.get(Key).bytes) }) };
    }
    if (command instanceof HeadObjectCommand) {
      const { Key = "" } = command.input;
      const LastModified = new Date(world.scheduler.now()); // nothing gets old in a simulated hour
      const effect = () => ({ ContentLength: bucket.get(Key).bytes.byteLength, LastModified });
      return { label: `head ${Key}`, effect };
    }
    if (command instanceof CopyObjectCommand) {
      const { Key = "", CopySource = "", ContentType = "" } = command.input;
      const source = decodeURI(CopySource).slice(CopySource.indexOf("/") + 1);
      return { label: `copy to ${Key}`, effect: () => bucket.copy(source, Key, ContentType) };
    }
    throw new TypeError(`the simulated S3 does not know ${command?.constructor.name}`);
  };
  const send = (command: unknown): Promise<unknown> => {
    const done = call(world, invocation, operation(command));
    const ignored = mutation.uploads === "failures ignored" && command instanceof PutObjectCommand;
    return ignored ? done.catch(() => ({})) : done;
  };
  return { send } as unknown as S3Client;
}

/** The part of a readable stream that reading to the end needs: no timers and no ticks. */
async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
