import type { Rule } from "./rule.ts";

const SOURCES = /^(lib|functions|scripts)\/(?!.*\.test\.ts$).+\.ts$/;
const CONTRACTS = /^test\/contract\/.+\.ts$/;
const IMPORTED = /import \{([^}]*)\} from "@aws-sdk\/(?:client-(?:dynamodb|s3|sqs)|lib-dynamodb)"/g;
const SENT = /\bnew (\w+Command)\(/g;
/** The operations of lib/platform/table, and the commands they send. */
const TABLE_OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  getItem: ["GetCommand"],
  checkTable: ["GetCommand"],
  putItem: ["PutCommand"],
  putIf: ["PutCommand"],
  putIfOurs: ["PutCommand", "GetCommand"],
  updateItem: ["UpdateCommand"],
  updateIf: ["UpdateCommand"],
  deleteItem: ["DeleteCommand"],
  deleteIf: ["DeleteCommand"],
  queryOnce: ["QueryCommand"],
  queryPages: ["QueryCommand"],
  queryAll: ["QueryCommand"],
  queryOverdue: ["QueryCommand"],
  scanTable: ["ScanCommand"],
};
const OPERATION_FILES = /^lib\/platform\/table\/(operations|queries)\.ts$/;
const OPERATIONS_IMPORTED = /import \{([^}]*)\} from "#lib\/platform\/table\/(?:operations|queries)\.ts"/g;
const EXPORTED = /^export (?:async )?function\*? (\w+)/gm;
const RELIED_ON = /relied_on_by: \[([^\]]*)\]/g;

/**
 * Whatever asks SQS, DynamoDB or S3 for something, itself or by lib/platform/table, is named by a test of the contract that sends the same
 * command, so that what it relies on is known to hold.
 */
export const awsCallsHaveContracts: Rule = {
  name: "aws-calls-have-contracts",
  check(tree) {
    const contracts = tree.files.filter((path) => CONTRACTS.test(path)).map((path) => tree.read(path));
    const covered = new Set(contracts.flatMap((text) => commandsIn(text)));
    const named = new Set<string>(
      contracts
        .flatMap((text) => [...text.matchAll(RELIED_ON)])
        .flatMap(([, files = ""]) => [...files.matchAll(/"([^"]+)"/g)].map(([, file = ""]) => file)),
    );
    const unlisted = tree.files
      .filter((path) => OPERATION_FILES.test(path))
      .flatMap((path) => [...tree.read(path).matchAll(EXPORTED)].map(([, name = ""]) => ({ path, name })))
      .filter(({ name }) => !Object.hasOwn(TABLE_OPERATIONS, name))
      .map(
        ({ path, name }) =>
          `${path} exports ${name}: say in aws-calls-have-contracts which commands it sends.`,
      );
    const missing = [...named]
      .filter((path) => !tree.has(path))
      .map((path) => `a test in test/contract says that ${path} relies on it; there is no such file.`);
    const unheld = tree.files
      .filter((path) => SOURCES.test(path))
      .flatMap((path) => {
        const text = tree.read(path);
        const sent = [...new Set([...commandsIn(text), ...operationsIn(text)])];
        if (sent.length === 0) return [];
        const unknown = sent.filter((name) => !covered.has(name));
        return [
          ...unknown.map(
            (name) =>
              `${path} sends ${name}, which no test in test/contract does: say there what it relies on.`,
          ),
          ...(named.has(path)
            ? []
            : [
                `${path} asks AWS for ${sent.join(", ")}: name it in relied_on_by of a test in test/contract.`,
              ]),
        ];
      });
    return [...unlisted, ...missing, ...unheld];
  },
};

/** The commands of SQS, DynamoDB and S3 that a source makes. */
function commandsIn(text: string): string[] {
  const imported = [...text.matchAll(IMPORTED)].map(([, names]) => names).join();
  const sent = [...text.matchAll(SENT)].map(([, name = ""]) => name);
  return [...new Set(sent)].filter((name) => new RegExp(`\\b${name}\\b`).test(imported));
}

/** The commands that a source has the table module send. */
function operationsIn(text: string): string[] {
  const imported = [...text.matchAll(OPERATIONS_IMPORTED)].flatMap(
    ([, names = ""]) => names.match(/\w+/g) ?? [],
  );
  return imported
    .filter((name) => new RegExp(`\\b${name}(<[^(]*>)?\\(`).test(text))
    .flatMap((name) => (Object.hasOwn(TABLE_OPERATIONS, name) ? TABLE_OPERATIONS[name] : undefined) ?? []);
}
