import type { ObjectStore, StoredObject } from "./fauxqs-internals.ts";

/**
 * Lists keys in the order of their UTF-8 bytes, as S3 does. fauxqs sorts them as a dictionary would and goes on
 * by another order, so that its later pages lack keys.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html
 */
export function listInByteOrder(objects: ObjectStore): void {
  const listObjects = objects.listObjects.bind(objects);
  objects.listObjects = (bucket, options = {}) => {
    const found = objects.buckets.get(bucket);
    if (!found || options.delimiter) return listObjects(bucket, options);
    const { prefix = "", maxKeys: keys_max = 1000 } = options;
    const after = Buffer.from(options.startAfter ?? options.marker ?? "");
    const sorted = [...found.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .map((object) => ({ object, bytes: Buffer.from(object.key) }))
      .filter(({ bytes }) => Buffer.compare(bytes, after) > 0)
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    const page: StoredObject[] = sorted.slice(0, keys_max).map(({ object }) => object);
    return { objects: page, commonPrefixes: [], isTruncated: sorted.length > page.length };
  };
}
