import assert from "node:assert/strict";
import { test } from "node:test";
import { addMonths, daysBetween, formatDay, parseDay } from "../src/index.js";

test("a month after 31 January is the last of February", () => {
  assert.equal(formatDay(addMonths(parseDay("2028-01-31"), 1)), "29 February 2028");
});

test("nights are counted across a change of clocks", () => {
  assert.equal(daysBetween(parseDay("2026-03-28"), parseDay("2026-03-30")), 2);
});
