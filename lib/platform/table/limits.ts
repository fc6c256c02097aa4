/*
 * What DynamoDB takes:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */

export const PARTITION_KEY_BYTES_MAX = 2048;
export const SORT_KEY_BYTES_MAX = 1024;

/** An item has up to 400 KB, names included; this leaves room for how JSON and DynamoDB count. */
export const ITEM_BYTES_MAX = 300_000;

/** An expression has up to 4 KB and 300 operators. So many attributes fit one that adds and removes some. */
export const ADDED_AND_REMOVED_MAX = 120;
