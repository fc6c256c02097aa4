import assert from "node:assert/strict";
import { test } from "node:test";
import { countWeekdays, formatDay, nextWeekday, parseDay, parseRange } from "../src/index.js";

/** Run some work as if the machine stood in another time zone. */
function inZone(zone, work) {
  const before = process.env.TZ ?? "UTC";
  process.env.TZ = zone;
  try {
    return work();
  } finally {
    process.env.TZ = before;
  }
}

test("two weeks have ten working days", () => {
  assert.equal(inZone("UTC", () => countWeekdays(parseRange("2026-07-06/2026-07-19"))), 10);
});

test("after a Friday comes Monday", () => {
  const monday = inZone("UTC", () => nextWeekday(parseDay("2026-07-10")));
  assert.equal(formatDay(monday), "13 July 2026");
});

test("a Monday is a working day in New York too", () => {
  const count = inZone("America/New_York", () => countWeekdays(parseRange("2026-07-06/2026-07-06")));
  assert.equal(count, 1, "6 July 2026 is a Monday");
});
