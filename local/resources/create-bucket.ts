import { CreateBucketCommand, HeadBucketCommand, NotFound, type S3Client } from "@aws-sdk/client-s3";

/** Creates the bucket unless it exists; its objects stay. */
export async function createBucket(client: S3Client, name: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: name }));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    await client.send(new CreateBucketCommand({ Bucket: name }));
  }
}
