import { describe, expect, it } from "vitest";
import { alertId, isQuiet, isSilenced, nextAlert } from "#lib/work/observation/alert-transitions.ts";
import type { AlertRule } from "#schemas/config/alerts.ts";
import type { AlertRecord } from "#schemas/records/alert.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const RULE: AlertRule = {
  name: "late",
  summary: "It is late.",
  severity: "warning",
  group: "test",
  expression: { kind: "gauge", metric: "agents_dead_letters", by: ["service"], aggregate: "sum" },
  comparison: "above",
  threshold: 5,
  for_seconds: 120,
  repeat_seconds: 600,
  runbook: "alerts",
};
const LABELS = { service: "codegen" };

/** Evaluates minute by minute: `x` breached, `.` not, `-` no series, `h` breached and held back, `H` well and held back. */
function run(
  minutes: string,
  rule = RULE,
): { notices: string[]; writes: number; record: AlertRecord | undefined } {
  let record: AlertRecord | undefined;
  let writes = 0;
  const notices: string[] = [];
  for (const [minute, sign] of [...minutes].entries()) {
    const value = "xh".includes(sign) ? 9 : 1;
    const measured = sign === "-" ? undefined : { labels: LABELS, value, breached: "xh".includes(sign) };
    const situation = { rule, labels: LABELS, measured, now_ms: NOW + minute * 60_000, expires_at: 0 };
    const next = nextAlert(record, { ...situation, held: "hH".includes(sign) });
    if (!next) continue;
    writes += 1;
    if (next.notices > (record?.notices ?? 0)) notices.push(`${minute} ${next.unsent?.notice.kind}`);
    record = next;
  }
  return { notices, writes, record };
}

describe("an alert", () => {
  it("fires after it held long enough, once, and is resolved once", () => {
    expect(run("..xxxxxx...").notices).toEqual(["4 fired", "8 resolved"]);
    expect(run("xx.xx.xx.").notices).toEqual([]);
  });

  it("is not written while nothing changes", () => {
    expect(run("......").writes).toBe(0);
    expect(run("xxxxxxxx").writes).toBe(2);
  });

  it("is told again after the repeat interval, and never where there is none", () => {
    expect(run("x".repeat(26)).notices).toEqual(["2 fired", "12 repeated", "22 repeated"]);
    expect(run("x".repeat(26), { ...RULE, repeat_seconds: null }).notices).toEqual(["2 fired"]);
  });

  it("ends when its labels have no series any more", () => {
    expect(run("xxx-").notices).toEqual(["2 fired", "3 resolved"]);
  });

  it("that fires while it is held back is told afterwards, and not at all when it has ended by then", () => {
    expect(run("hhhhhxx.").notices).toEqual(["5 fired", "7 resolved"]);
    expect(run("hhhhh....").notices).toEqual([]);
    expect(run("xxxHH.").notices).toEqual(["2 fired", "5 resolved"]);
    expect(run("xxxHxxxxx").notices).toEqual(["2 fired"]);
  });

  it("says what it was told with before", () => {
    const { record } = run("xxxx.");
    expect(record?.unsent?.notice).toMatchObject({ number: 2, value: 1, previous_value: 9, threshold: 5 });
  });

  it("is another for other labels, and the same in whatever order they come", () => {
    expect(alertId("late", { a: "1", b: "2" })).toBe(alertId("late", { b: "2", a: "1" }));
    const others = [alertId("late", { a: "1" }), alertId("late", { a: "12" }), alertId("later", { a: "1" })];
    expect(new Set(others).size).toBe(3);
  });
});

describe("quiet hours", () => {
  const quiet = { from: "22:00", to: "06:00", severities: ["warning" as const] };
  it.each([
    ["21:59", false],
    ["22:00", true],
    ["00:00", true],
    ["05:59", true],
    ["06:00", false],
  ])("at %s: %s", (time, expected) => {
    expect(isQuiet(RULE, quiet, Date.parse(`2026-01-31T${time}:00Z`))).toBe(expected);
  });

  it("hold back the severities they name only, and may lie within a day", () => {
    const midnight = Date.parse("2026-01-31T00:00:00Z");
    expect(isQuiet({ ...RULE, severity: "critical" }, quiet, midnight)).toBe(false);
    expect(isQuiet(RULE, null, midnight)).toBe(false);
    expect(isQuiet(RULE, { ...quiet, from: "00:00", to: "01:00" }, midnight)).toBe(true);
  });
});

describe("a silence", () => {
  const silence = {
    silence_id: "0".repeat(16),
    rule: "late",
    labels: { service: "codegen" },
    until: "2026-01-31T13:00:00.000Z",
    why: "x",
    created_by: "local",
    created_at: "2026-01-31T12:00:00.000Z",
    expires_at: 0,
  };
  it("holds back its rule and labels until its end, and nothing else", () => {
    expect(isSilenced("late", LABELS, [silence], NOW)).toBe(true);
    expect(isSilenced("late", { service: "sandbox" }, [silence], NOW)).toBe(false);
    expect(isSilenced("early", LABELS, [silence], NOW)).toBe(false);
    expect(isSilenced("early", LABELS, [{ ...silence, rule: "*" }], NOW)).toBe(true);
    expect(isSilenced("late", LABELS, [silence], Date.parse(silence.until))).toBe(false);
  });
});
