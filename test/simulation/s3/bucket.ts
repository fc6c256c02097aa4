import { S3ServiceException } from "@aws-sdk/client-s3";

interface StoredObject {
  bytes: Buffer;
  content_type: string;
}

export interface Bucket {
  put(key: string, body: Uint8Array | string, content_type: string): void;
  /** Throws S3ServiceException 404. */
  get(key: string): StoredObject;
  copy(source: string, key: string, content_type: string): void;
  find(key: string): StoredObject | undefined;
}

/** An S3 bucket: strongly consistent, the last write wins. */
export function makeBucket(): Bucket {
  const objects = new Map<string, StoredObject>();
  const get = (key: string): StoredObject => {
    const found = objects.get(key);
    if (found) return found;
    throw new S3ServiceException({
      name: "NoSuchKey",
      $fault: "client",
      message: `there is no object ${key}`,
      $metadata: { httpStatusCode: 404 },
    });
  };
  return {
    get,
    find: (key) => objects.get(key),
    put(key, body, content_type) {
      objects.set(key, { bytes: Buffer.from(body), content_type });
    },
    copy(source, key, content_type) {
      objects.set(key, { bytes: get(source).bytes, content_type });
    },
  };
}
