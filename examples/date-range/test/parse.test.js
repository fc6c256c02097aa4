import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDay, parseRange } from "../src/index.js";

test("a day is read as midnight UTC", () => {
  assert.equal(parseDay("2026-07-06").toISOString(), "2026-07-06T00:00:00.000Z");
});

test("a day that does not exist is refused", () => {
  assert.throws(() => parseDay("2026-02-30"), /not a calendar day: 2026-02-30/);
});

test("a range that ends before it starts is refused", () => {
  assert.throws(() => parseRange("2026-07-19/2026-07-06"), /cannot end before it starts/);
});
