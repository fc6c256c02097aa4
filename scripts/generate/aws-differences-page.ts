import { type Difference, TARGETS, type TargetName } from "../../test/contract/difference.ts";
import type { Tree } from "../tree/tree.ts";
import { GENERATED_NOTE, table } from "./markdown.ts";

const DECLARED = /^test\/contract\/([a-z0-9]+)\/differences\.ts$/;
const TITLES: Record<string, string> = { dynamodb: "DynamoDB", s3: "S3", sqs: "SQS" };
const MEANINGS: Record<TargetName, string> = {
  embedded: "the emulators of `npm start`",
  simulation: "the simulated AWS that `npm run simulate` runs handlers on",
  localstack: "LocalStack's SQS and S3",
  moto: "moto's DynamoDB, the table of host mode",
  "dynamodb-local": "AWS's own DynamoDB Local, where there is one",
};

/** docs/reference/aws-differences.md, from what the contract's tests hold each target to. */
export async function awsDifferencesPage(tree: Tree): Promise<string> {
  const sections: string[] = [];
  for (const path of tree.files.filter((file) => DECLARED.test(file))) {
    const service = DECLARED.exec(path)?.[1] ?? "";
    const [declared = {}] = Object.values(await tree.load(path)) as Record<string, Difference>[];
    sections.push(
      `## ${TITLES[service] ?? service}`,
      table(["", "AWS", "Instead", "Why nothing leans on it"], Object.values(declared).map(row)),
    );
  }
  return `${[
    "# Where the stand-ins for AWS differ from it",
    GENERATED_NOTE,
    "What the code needs of SQS, DynamoDB and S3 stands as tests in [test/contract](../../test/contract), which hold " +
      "every stand-in to AWS's documents. A difference is declared beside the test, and the test holds the stand-in to " +
      "the declaration too: when it comes nearer to AWS, or goes further from it, the test fails.",
    table(
      ["Stand-in", "What it is"],
      TARGETS.map((name) => [name, MEANINGS[name]]),
    ),
    ...sections,
  ].join("\n\n")}\n`;
}

function row({ behaviour, aws, page, targets, not_leaned_on, bridged_in }: Difference): string[] {
  const instead = new Map<string, string[]>();
  for (const [name, { does }] of Object.entries(targets)) {
    instead.set(does, [...(instead.get(does) ?? []), name]);
  }
  return [
    behaviour,
    `${aws} ([page](${page}))`,
    [...instead].map(([does, names]) => `${names.join(", ")}: ${does}`).join("<br>"),
    bridged_in ? `${not_leaned_on} [${bridged_in}](../../${bridged_in})` : not_leaned_on,
  ];
}
