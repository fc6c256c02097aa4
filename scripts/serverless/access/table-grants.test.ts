import { describe, expect, it } from "vitest";
import type { ItemKind } from "#lib/platform/table/item-kind.ts";
import { ITEM_KINDS, tableDuties, tableGrants } from "./table-grants.ts";

const NOTE: ItemKind = {
  about: "a note",
  partition: "NOTES#<tenant>",
  sort: "<note_id>",
  lists: { by_tenant: { partition: "NOTES_BY_TIME#<tenant>", sort: "<at>", when: "always" } },
  kept: "until deleted",
  access: { keep_notes: ["PutItem", "GetItem"], read_notes: ["Query", "Query by_tenant"] },
};
const beside = (access: ItemKind["access"]): ItemKind => ({ ...NOTE, sort: "OTHER", lists: {}, access });

/** Action, resource and partitions of each statement, on one line. */
const linesOf = (duty: string, kinds: Record<string, ItemKind>) =>
  tableGrants(duty, kinds).map(({ Action, Resource, Condition }) => {
    const keys = Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"];
    return `${Action} ${JSON.stringify(Resource)} ${keys}`;
  });

describe("the grants of a duty", () => {
  it("are what the catalogue says it does, for the partitions of the kind and no others", () => {
    expect(linesOf("keep_notes", { NOTE })).toEqual([
      'dynamodb:GetItem,dynamodb:PutItem {"Fn::GetAtt":["Table","Arn"]} NOTES#*',
    ]);
  });

  it("name an index by its own partitions", () => {
    expect(linesOf("read_notes", { NOTE })).toEqual([
      'dynamodb:Query {"Fn::GetAtt":["Table","Arn"]} NOTES#*',
      `dynamodb:Query {"Fn::Sub":"$\{Table.Arn}/index/by_tenant"} NOTES_BY_TIME#*`,
    ]);
  });

  it("are joined where kinds share a partition", () => {
    const kinds = { NOTE, OTHER: beside({ keep_notes: ["UpdateItem", "GetItem"] }) };
    expect(linesOf("keep_notes", kinds)).toEqual([
      'dynamodb:GetItem,dynamodb:PutItem,dynamodb:UpdateItem {"Fn::GetAtt":["Table","Arn"]} NOTES#*',
    ]);
  });

  it("may be limited to some attributes", () => {
    const kinds = { NOTE: beside({ mark_notes: [{ UpdateItem: ["seen_at"] }] }) };
    expect(tableGrants("mark_notes", kinds)[0]?.Condition).toMatchObject({
      "ForAllValues:StringEquals": { "dynamodb:Attributes": ["pk", "sk", "seen_at"] },
    });
  });

  it("are none for a duty that the catalogue does not name", () => {
    for (const duty of ["other", "toString", "constructor"]) expect(tableGrants(duty, { NOTE })).toEqual([]);
    expect(tableDuties({ NOTE })).toEqual(["keep_notes", "read_notes"]);
  });

  it("are refused for an index that does not list the kind", () => {
    const kinds = { NOTE: beside({ read_notes: ["Query open_tasks"] }) };
    expect(() => tableGrants("read_notes", kinds)).toThrow("is not listed in open_tasks");
  });

  it("delete nothing but webhooks, and nobody scans", () => {
    for (const duty of tableDuties()) {
      for (const { Action, Condition } of tableGrants(duty)) {
        expect(Action).not.toContain("dynamodb:Scan");
        if (!Action.includes("dynamodb:DeleteItem")) continue;
        expect(Condition).toMatchObject({
          "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["WEBHOOKS#*"] },
        });
      }
    }
    expect(Object.keys(ITEM_KINDS).length).toBeGreaterThan(10);
  });
});
