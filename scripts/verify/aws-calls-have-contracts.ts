import type { Rule } from "./rule.ts";

const SOURCES = /^(lib|functions|scripts)\/(?!.*\.test\.ts$).+\.ts$/;
const CONTRACTS = /^test\/contract\/.+\.ts$/;
const IMPORTED = /import \{([^}]*)\} from "@aws-sdk\/(?:client-(?:dynamodb|s3|sqs)|lib-dynamodb)"/g;
const SENT = /\bnew (\w+Command)\(/g;
const RELIED_ON = /relied_on_by: \[([^\]]*)\]/g;

/**
 * Whatever asks SQS, DynamoDB or S3 for something is named by a test of the contract that sends the same
 * command, so that what it relies on is known to hold.
 */
export const awsCallsHaveContracts: Rule = {
  name: "aws-calls-have-contracts",
  check(tree) {
    const contracts = tree.files.filter((path) => CONTRACTS.test(path)).map((path) => tree.read(path));
    const covered = new Set(contracts.flatMap((text) => commandsIn(text)));
    const named = new Set(
      contracts
        .flatMap((text) => [...text.matchAll(RELIED_ON)])
        .flatMap(([, files = ""]) => [...files.matchAll(/"([^"]+)"/g)].map(([, file]) => file)),
    );
    return tree.files
      .filter((path) => SOURCES.test(path))
      .flatMap((path) => {
        const sent = commandsIn(tree.read(path));
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
  },
};

/** The commands of SQS, DynamoDB and S3 that a source makes. */
function commandsIn(text: string): string[] {
  const imported = [...text.matchAll(IMPORTED)].map(([, names]) => names).join();
  const sent = [...text.matchAll(SENT)].map(([, name = ""]) => name);
  return [...new Set(sent)].filter((name) => new RegExp(`\\b${name}\\b`).test(imported));
}
