import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { awsDifferencesPage } from "./aws-differences-page.ts";

const path = "test/contract/sqs/differences.ts";
const order = {
  behaviour: "The order | of messages",
  aws: "is any",
  page: "https://docs.example/order",
  targets: {
    embedded: { does: "is that of sending", observed: 1 },
    localstack: { does: "is that of sending", observed: 1 },
    simulation: { does: "is drawn", observed: 2 },
  },
  not_leaned_on: "The ledger decides.",
  bridged_in: "lib/ledger.ts",
};

describe("awsDifferencesPage", () => {
  it("has a row for each difference: who differs, how, and why nothing leans on it", async () => {
    const page = await awsDifferencesPage(memoryTree({ [path]: "" }, { [path]: { declared: { order } } }));
    expect(page).toContain("## SQS");
    expect(page).toContain(
      "| The order \\| of messages | is any ([page](https://docs.example/order)) | " +
        "embedded, localstack: is that of sending<br>simulation: is drawn | " +
        "The ledger decides. [lib/ledger.ts](../../lib/ledger.ts) |",
    );
  });

  it("leaves out what is no declaration", async () => {
    const other = "test/contract/sqs/other.ts";
    const page = await awsDifferencesPage(memoryTree({ [other]: "" }, { [other]: { declared: { order } } }));
    expect(page).not.toContain("##");
  });
});
