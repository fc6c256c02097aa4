/** The table's two indexes: the attributes that list an item in them, and what they hold of the item. */
export const INDEXES = {
  /** A tenant's items of one kind, in the order of their sort key. */
  by_tenant: { partition: "gsi1pk", sort: "gsi1sk", holds: "ALL" },
  /** What has not ended, by the time to look at it next. Few items are ever looked for here, and each is read then. */
  open_tasks: { partition: "gsi2pk", sort: "gsi2sk", holds: "KEYS_ONLY" },
} as const;
export type IndexName = keyof typeof INDEXES;

/** A request that a duty sends for items of a kind; `Query by_tenant` is a query of that index. */
export type TableAction =
  | "GetItem"
  | "PutItem"
  | "UpdateItem"
  | "DeleteItem"
  | "Query"
  | `Query ${IndexName}`
  /** Updates that name no attribute but these and the key. */
  | { UpdateItem: readonly string[] };

/** How long items are kept. DynamoDB deletes an item after the Unix time in s in its `expires_at`. */
export type Lifetime =
  | { days: number; after: string }
  /** As an option, or the caller, says. */
  | { set_by: string; after: string }
  | "until deleted";

/**
 * One kind of item: how its keys are made, and all that operators, auditors and IAM need to know of it.
 * In a key `<field>` stands for the record's field of that name.
 */
export interface ItemKind {
  /** What one item is. */
  about: string;
  partition: string;
  sort: string;
  /** Indexes that list it, and when. */
  lists?: { readonly [Index in IndexName]?: { partition: string; sort: string; when: string } };
  /** The zod schema in schemas/records that checks it. Without one, `about` says what is in it. */
  record?: string;
  kept: Lifetime;
  /** What each duty of a function (`access:` in serverless.yml) does with it. IAM allows this and no more. */
  access: Readonly<Record<string, readonly TableAction[]>>;
}
