import { ITEM_KINDS } from "../serverless/access/table-grants.ts";
import { readImports } from "../tree/read-imports.ts";
import type { Rule } from "./rule.ts";

const SOURCES = /^(lib|functions|scripts|cli)\/(?!.*\.test\.ts$).+\.ts$/;
const MODULE = "lib/platform/table/";
/** Makes the clients; sends nothing. */
const CLIENTS = "lib/platform/aws/clients.ts";
const DYNAMODB = /^@aws-sdk\/(client-dynamodb|lib-dynamodb|util-dynamodb)(\/|$)/;
const KEY_ATTRIBUTES = /\b(pk|sk|gsi[12]pk|gsi[12]sk)["']?\s*:/;

/**
 * The table is asked by lib/platform/table only: nothing else sends it a command, catches its refusals or
 * spells a key. What sets tables up (local/) and what looks at raw items (test/, bench/) is not held to it.
 */
export const tableHasOneModule: Rule = {
  name: "table-has-one-module",
  check: (tree) =>
    tree.files
      .filter((path) => SOURCES.test(path) && !path.startsWith(MODULE))
      .flatMap((path) => {
        const text = tree.read(path);
        return [...imported(path, text), ...spelled(path, text)];
      }),
};

function imported(path: string, text: string): string[] {
  if (path === CLIENTS)
    return /\bnew \w+Command\(/.test(text) ? [`${path} makes clients and sends nothing.`] : [];
  return readImports(path, text)
    .filter(({ specifier = "" }) => DYNAMODB.test(specifier))
    .map(
      ({ specifier }) =>
        `${path} imports ${specifier}: use the operations of ${MODULE}, and TableClient for the client's type.`,
    );
}

const PREFIXES = [
  ...new Set(
    Object.values(ITEM_KINDS)
      .flatMap(({ partition, sort, lists = {} }) => [
        partition,
        sort,
        ...Object.values(lists).map((list) => list.partition),
      ])
      .map((template) => /^\w+#(?=<)/.exec(template)?.[0])
      .filter((prefix) => prefix !== undefined),
  ),
];
const SPELLED_PREFIX = new RegExp(`["'\`](${PREFIXES.join("|")})`);

function spelled(path: string, text: string): string[] {
  const [, attribute] = KEY_ATTRIBUTES.exec(text) ?? [];
  const [, prefix] = SPELLED_PREFIX.exec(text) ?? [];
  return [
    ...(attribute
      ? [`${path} spells the key attribute ${attribute}: let keyOf or listingOf make the key.`]
      : []),
    ...(prefix ? [`${path} spells the key prefix ${prefix}: it belongs in ${MODULE}items.ts.`] : []),
  ];
}
