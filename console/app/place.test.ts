import { describe, expect, it } from "vitest";
import { parsePlace, placeLink } from "./place.ts";

describe("a place in the console", () => {
  it.each([
    ["", [], {}],
    ["#/", [], {}],
    ["#/tasks", ["tasks"], {}],
    ["#/tasks?status=failed&text=a%20b", ["tasks"], { status: "failed", text: "a b" }],
    ["#/tasks/task_1/logs?file=run%2Foutput.log", ["tasks", "task_1", "logs"], { file: "run/output.log" }],
    ["#/failures/a%2Fb", ["failures", "a/b"], {}],
    ["#/tasks/%E0%A4%A", ["tasks", "%E0%A4%A"], {}],
  ])("is read from the address %j", (fragment, path, query) => {
    expect(parsePlace(fragment)).toEqual({ path, query });
  });

  it.each([
    [["tasks"], { status: "", text: undefined }, "#/tasks"],
    [["tasks"], { text: "a&b=c#d" }, "#/tasks?text=a%26b%3Dc%23d"],
    [["failures", "local.a/b?c"], {}, "#/failures/local.a%2Fb%3Fc"],
  ])("has an address that leads back to it: %j %j", (path, query, link) => {
    expect(placeLink(path, query)).toBe(link);
    const said = Object.fromEntries(Object.entries(query).filter(([, value]) => value));
    expect(parsePlace(link)).toEqual({ path, query: said });
  });
});
