import {
  GetObjectCommand,
  type GetObjectCommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import type { BucketWorld } from "../targets/worlds.ts";

export const put = (
  { s3, bucket }: BucketWorld,
  Key: string,
  Body: string,
  more: Partial<PutObjectCommandInput> = {},
) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));

export const get = (
  { s3, bucket }: BucketWorld,
  Key: string,
  more: Partial<GetObjectCommandInput> = {},
  options: { abortSignal?: AbortSignal } = {},
) => s3.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }), options);

export async function text(
  world: BucketWorld,
  Key: string,
  options: { abortSignal?: AbortSignal } = {},
): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await get(world, Key, {}, options)).Body as AsyncIterable<Buffer>)
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
