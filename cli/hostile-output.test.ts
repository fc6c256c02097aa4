import { afterEach, describe, expect, it } from "vitest";
import { type FakeApi, type FakeState, fakeState, problem, startFakeApi } from "../test/fakes/fake-api.ts";
import { at, fakeArtifacts, fakeStep, fakeView, TASK_ID, TRACE_ID } from "../test/fakes/fake-task.ts";
import { runCli } from "../test/fakes/run-cli.ts";
import { createTerminal } from "./terminal.ts";

const EVIL =
  "x\x1b]52;c;ZXZpbA==\x07\x1b]8;;mailto:evil@x.test\x1b\\y\x1b[?1049h\x1b[31m\u009b2J\r\u202e\b\n✓ passed";
const SHOWN = "x\\x1b]52;c;ZXZpbA==\\x07\\x1b]8;;mailto:evil@x.test\\x1b\\y\\x1b[?1049h\\x1b[31m\\x9b2J";
/** All that the CLI itself may send: its six styles, and the redrawing of its block. */
const OWN = /\p{Cc}\[(?:(?:1|2|22|31|32|33|36|39)m|\d+A\p{Cc}\[0J)/gu;
const ACTIVE = /(?!\t|\n)[\p{Cc}\p{Bidi_Control}]/u;

const running: FakeApi[] = [];
afterEach(async () => {
  for (const api of running.splice(0)) await api.stop();
});

async function onTerminal(words: string[], fields: Partial<FakeState>, terminal = true) {
  const api = await startFakeApi(fakeState(fields));
  running.push(api);
  return runCli(words, { url: api.url, terminal });
}

const SUMMARY = JSON.stringify({
  verdict: "failed",
  code: "TESTS_FAILED",
  reason: EVIL,
  isolation: "full",
  test_format: "tap",
  tests_passed: 0,
  tests_failed: 1,
  tests_skipped: 0,
  first_failure: EVIL,
  duration_ms: 1,
});
const files = { "build-test/summary.json": SUMMARY, "build-test/test.log": EVIL };
const artifacts = [
  ...fakeArtifacts(files),
  { ...fakeArtifacts({ x: "" })[0], path: `index/${EVIL}` } as never,
];
const view = fakeView({
  status: "failed",
  verdict: "failed",
  repository: EVIL,
  error: { code: "TESTS_FAILED", message: EVIL, step: "buildtest" },
  ended_at: at(9),
  steps: [fakeStep("codegen", { verdict: "failed", code: "DIFF_BAD", message: EVIL })],
  artifacts,
});
const instant = at(0);
const missing = [{ path: EVIL, reason: EVIL }];
const links = { expires_seconds: 300, expires_at: instant, missing };
const linked = { ...view, links, artifacts: artifacts.map((artifact) => ({ ...artifact, url: EVIL })) };
const key = { key_id: "0123456789abcdef", tenant: "local", name: EVIL, scopes: ["read"], state: "active" };
const dates = { created_at: instant, created_by: "local", valid_until: null };
const hook = { webhook_id: "0123456789abcdef", tenant: "local", name: EVIL, url: EVIL, state: "active" };
const webhook = { ...hook, disabled_at: null, disabled_because: null, secrets: [], created_at: instant };
const delivery = {
  delivery_id: `${TASK_ID}_0_0123456789abcdef`,
  webhook_id: hook.webhook_id,
  task_id: TASK_ID,
  type: "task.ended",
  state: "waiting",
  attempts: 1,
  attempted_at: [instant],
  status_code: null,
  code: "WEBHOOK_UNAVAILABLE",
  message: EVIL,
  next_try_at: instant,
  created_at: instant,
  ended_at: null,
};
const span = {
  span_id: "00f067aa0ba902b7",
  name: EVIL,
  kind: "internal",
  service: EVIL,
  started_at: instant,
  offset_ms: 0,
  duration_ms: 1,
  status: { code: "error", message: EVIL },
  attributes: { "error.type": EVIL },
  children: [],
};
const path_ms = { total_ms: 1, work_ms: 1, queue_ms: 0, retry_ms: 0, idle_ms: 0 };
const trace = { task_id: TASK_ID, trace_id: TRACE_ID, sampled: true, started_at: instant, duration_ms: 1 };
const entry = { entry_id: "0123456789abcdef", at: instant, tenant: "local", subject: "local" };
const result = { symbol: EVIL, kind: EVIL, path: EVIL, start_line: 1, end_line: 2, excerpt: EVIL, score: 1 };
const policy = { file: EVIL, schema: EVIL, hash: null, source: EVIL, loaded_at: null, age_seconds: null };
const window = { seconds: 1, calls: 1, failures: 1, slow: 0, damped: 0, retries: 0 };
const circuit = {
  key: EVIL,
  state: "closed",
  since: null,
  generation: 0,
  window,
  admitted_share: 1,
  next_probe_at: null,
  probe_until: null,
  opens: 0,
  forced: { state: "open", by: "local", at: instant, until: null, why: EVIL },
  trail: [],
};

type Case = [command: string[], answer: [route: string, body: unknown] | undefined];
const CASES: Case[] = [
  [["status", TASK_ID], undefined],
  [["status", TASK_ID, "--wait"], undefined],
  [["submit", "https://example.test/a", "--test", "true", "--wait"], undefined],
  [["tasks"], undefined],
  [["artifacts", TASK_ID], undefined],
  [["artifacts", TASK_ID, "build-test/test.log"], undefined],
  [["artifacts", TASK_ID, "none"], undefined],
  [
    ["artifacts", TASK_ID, "--links"],
    [`GET /api/tasks/${TASK_ID}`, linked],
  ],
  [
    ["artifacts", TASK_ID, "build-test/test.log", "--links"],
    [`GET /api/tasks/${TASK_ID}`, linked],
  ],
  [["logs", TASK_ID], undefined],
  [
    ["artifacts"],
    [
      "GET /api/artifacts/index",
      {
        entries: [
          {
            tenant: "local",
            task_id: TASK_ID,
            step: "index",
            round: 0,
            kind: EVIL,
            producer: EVIL,
            verdict: "passed",
            completed_at: instant,
            artifacts: [],
          },
        ],
        next_cursor: EVIL,
      },
    ],
  ],
  [
    ["trace", TASK_ID],
    [
      `GET /api/tasks/${TASK_ID}/trace`,
      { ...trace, span_count: 1, truncated: false, critical_path: path_ms, root: span },
    ],
  ],
  [
    ["query", "x"],
    [
      "POST /api/query",
      {
        ...{ repository: EVIL, revision: "r", results: [{ ...result, why: [EVIL] }] },
        words_only: { code: "VECTOR_ZERO", detail: EVIL },
      },
    ],
  ],
  [
    ["audit"],
    [
      "GET /api/audit",
      {
        entries: [{ ...entry, action: "key.revoke", target: EVIL, outcome: "done", detail: { why: EVIL } }],
        next_cursor: EVIL,
      },
    ],
  ],
  [
    ["keys", "list"],
    [
      "GET /api/keys",
      {
        keys: [{ ...key, ...dates, replaced_by: null, revoked_at: null, last_used_at: null }],
        next_cursor: EVIL,
      },
    ],
  ],
  [
    ["webhooks", "list"],
    ["GET /api/webhooks", { webhooks: [{ ...webhook, created_by: "local" }] }],
  ],
  [
    ["webhooks", "deliveries"],
    ["GET /api/deliveries", { deliveries: [delivery], next_cursor: EVIL }],
  ],
  [
    ["policies"],
    [
      "GET /api/policies",
      {
        service: EVIL,
        source: EVIL,
        checked_at: null,
        policies: [{ ...policy, state: "rejected", reason: EVIL, last_rejected: null }],
      },
    ],
  ],
  [["circuits"], ["GET /api/circuits", { policy_hash: "h", circuits: [circuit] }]],
];

describe("on a terminal", () => {
  it.each(CASES)("agents %j sends nothing of the server's that acts on it", async (words, answer) => {
    const answers = answer && { [answer[0]]: { status: 200, body: answer[1] } };
    const run = await onTerminal(words, { frames: [view], files, ...(answers && { answers }) });
    const output = run.stdout + run.stderr;
    // A long file name is parted by the column of sizes, never shortened.
    expect(output.replace(/\s+/g, "")).toContain(SHOWN);
    expect(output.replace(OWN, "")).not.toMatch(ACTIVE);
    // Logs and files are shown line by line; in a line of ours nothing of theirs begins one.
    if (words[0] !== "logs" && words.length < 3) expect(output.split("\n")).not.toContain("✓ passed");
  });

  it("nor does the text of an error, whether it is a problem document or not", async () => {
    for (const body of [problem(422, "SUBMISSION_INVALID", EVIL, [{ path: EVIL, message: EVIL }]), EVIL]) {
      const run = await onTerminal(["tasks"], { answers: { "GET /api/tasks": { status: 422, body } } });
      expect(run.stderr.replace(OWN, "")).not.toMatch(ACTIVE);
    }
    const json = await onTerminal(["tasks", "--json"], {
      answers: { "GET /api/tasks": { status: 422, body: problem(422, "SUBMISSION_INVALID", EVIL) } },
    });
    expect((json.stdout + json.stderr).replace(OWN, "")).not.toMatch(ACTIVE);
    expect(JSON.parse(json.stdout).error.message).toContain(EVIL);
  });

  it("a wrong command line is quoted visibly", async () => {
    const run = await onTerminal([`no\x1b[31m`], {});
    expect(run.stderr).not.toContain("\x1b[31m'");
    expect(run.stderr).toContain("\\x1b[31m");
  });

  it("prints everything as it is with --raw", async () => {
    const log = await onTerminal(["logs", TASK_ID, "--raw"], { frames: [view], files });
    expect(log.stdout).toContain(EVIL);
    const file = await onTerminal(["artifacts", TASK_ID, "build-test/test.log", "--raw"], {
      frames: [view],
      files,
    });
    expect(file.stdout).toBe(EVIL);
  });
});

describe("into a pipe", () => {
  it("prints everything as it is", async () => {
    const log = await onTerminal(["logs", TASK_ID], { frames: [view], files }, false);
    expect(log.stdout).toContain(EVIL);
    const file = await onTerminal(
      ["artifacts", TASK_ID, "build-test/test.log"],
      { frames: [view], files },
      false,
    );
    expect(file.stdout).toBe(EVIL);
  });
});

describe("createTerminal", () => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };

  it("keeps nested styles, and lets no text bring its own", () => {
    written.length = 0;
    const terminal = createTerminal(stream, {});
    const { paint } = terminal;
    terminal.lines(paint.dim(`a ${paint.bold("b\x1b[0m")} c`));
    expect(written).toEqual(["\x1b[2ma \x1b[1mb\\x1b[0m\x1b[22m\x1b[2m c\x1b[22m\n"]);
  });

  it("spells out what acts on a terminal without colours too", () => {
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as Record<string, string>[]) {
      written.length = 0;
      createTerminal(stream, env).lines(EVIL);
      expect(written.join("")).not.toMatch(ACTIVE);
    }
  });

  it("redraws a block of as many rows as it has lines, whatever is in them", () => {
    written.length = 0;
    const terminal = createTerminal(stream, {});
    terminal.live(EVIL, `y\n${"z".repeat(100)}`);
    terminal.live();
    expect(written.join("").split("\n")).toHaveLength(3);
    expect(written).toContain("\x1b[2A\x1b[0J");
  });
});
