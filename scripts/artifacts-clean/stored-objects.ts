import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";

export interface StoredObject {
  key: string;
  bytes: number;
  written_ms: number;
}

export interface BucketPorts {
  s3: S3Client;
  bucket: string;
}

const TENANTS = "tenants/";

/** All objects under a prefix, a page of up to 1,000 at a time. */
export async function* listObjects(
  prefix: string,
  { s3, bucket }: BucketPorts,
): AsyncGenerator<StoredObject[]> {
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken }),
    );
    yield (page.Contents ?? []).map(({ Key = "", Size = 0, LastModified }) => ({
      key: Key,
      bytes: Size,
      written_ms: LastModified?.getTime() ?? Number.POSITIVE_INFINITY,
    }));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
}

/** The tenants that have anything in the bucket: one request leads from each to the next. */
export async function* listTenants({ s3, bucket }: BucketPorts): AsyncGenerator<string> {
  let StartAfter: string | undefined;
  for (;;) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: TENANTS, StartAfter, MaxKeys: 1 }),
    );
    const tenant = page.Contents?.[0]?.Key?.split("/")[1];
    if (tenant === undefined) return;
    yield tenant;
    StartAfter = `${TENANTS}${tenant}0`; // "0" comes right after "/": beyond all of this tenant's keys
  }
}

export async function deleteObject(key: string, { s3, bucket }: BucketPorts): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}

/**
 * Deletes an object unless it was written since it was listed, for whoever writes content means to
 * refer to it. Looks right before deleting: S3 has no delete on condition of the time of writing.
 */
export async function deleteUnlessRewritten(object: StoredObject, ports: BucketPorts): Promise<boolean> {
  try {
    const { LastModified } = await ports.s3.send(
      new HeadObjectCommand({ Bucket: ports.bucket, Key: object.key }),
    );
    // A listing has milliseconds, a header whole seconds.
    if ((LastModified?.getTime() ?? Number.POSITIVE_INFINITY) > object.written_ms) return false;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
  await deleteObject(object.key, ports);
  return true;
}
