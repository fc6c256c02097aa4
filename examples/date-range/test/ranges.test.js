import assert from "node:assert/strict";
import { test } from "node:test";
import { contains, formatRange, mergeRanges, overlap, parseDay, parseRange } from "../src/index.js";

test("a range contains both of its ends", () => {
  const range = parseRange("2026-07-06/2026-07-19");
  assert.ok(contains(range, parseDay("2026-07-06")));
  assert.ok(contains(range, parseDay("2026-07-19")));
  assert.ok(!contains(range, parseDay("2026-07-20")));
});

test("ranges that share no day do not overlap", () => {
  assert.equal(overlap(parseRange("2026-07-01/2026-07-05"), parseRange("2026-07-06/2026-07-09")), undefined);
});

test("ranges that touch are merged", () => {
  const ranges = ["2026-07-06/2026-07-09", "2026-07-01/2026-07-05", "2026-08-01/2026-08-02"].map(parseRange);
  assert.deepEqual(mergeRanges(ranges).map(formatRange), ["1 – 9 July 2026", "1 – 2 August 2026"]);
});

test("a range over the turn of the year names both years", () => {
  assert.equal(formatRange(parseRange("2026-12-30/2027-01-02")), "30 December 2026 – 2 January 2027");
});
