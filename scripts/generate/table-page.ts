import { INDEXES, type IndexName, type ItemKind, type Lifetime } from "#lib/platform/table/item-kind.ts";
import { ITEM_KINDS } from "../serverless/access/table-grants.ts";
import { readServerless } from "../tree/serverless.ts";
import type { Tree } from "../tree/tree.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";
import type { PublishedSchema } from "./published-schemas.ts";
