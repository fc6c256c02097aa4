import { describe, expect, it } from "vitest";
import { at, fakeStep, fakeView } from "../test/fakes/fake-task.ts";
import { createTaskDisplay } from "./task-display.ts";
import { createTerminal } from "./terminal.ts";

function screen(isTTY: boolean, env: Record<string, string> = {}) {
  const written: string[] = [];
  const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) };
  return { terminal: createTerminal(stream, env), text: () => written.join("") };
}

const running = fakeView({ steps: [fakeStep("codegen", { status: "running" })] });
const ended = fakeView({ steps: [fakeStep("codegen", { ended_at: at(3) })] });

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 600; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(condition()).toBe(true);
}

describe("createTaskDisplay", () => {
  it("redraws on a terminal and leaves the last state standing", async () => {
    const { terminal, text } = screen(true);
    const display = createTaskDisplay(terminal);
    display.update(running);
    await until(() => text().includes("⠹"));
    display.update(ended);
    display.stop();
    expect(text()).toContain("\x1b[2A\x1b[0J");
    expect(text()).toMatch(/✓.* codegen +2\.0 s\n$/);
  });

  it("has no colours with NO_COLOR, but still redraws", () => {
    const { terminal, text } = screen(true, { NO_COLOR: "1" });
    const display = createTaskDisplay(terminal);
    display.update(ended);
    display.stop();
    expect(text()).toBe("  ✓ codegen                   2.0 s\n");
  });

  it("writes one line a change elsewhere, and none for a queued step", () => {
    const { terminal, text } = screen(false);
    const display = createTaskDisplay(terminal);
    const queued = fakeView({ steps: [fakeStep("codegen", { status: "queued", started_at: undefined })] });
    for (const view of [queued, running, running, ended, ended]) display.update(view);
    display.stop();
    expect(text().trimEnd().split("\n")).toHaveLength(2);
  });

  it("tells rounds, tokens and money as they grow, on a terminal in the line that is redrawn", async () => {
    const made = (round: number, tokens: number) => {
      const spent = { tokens, usd_micros: tokens * 100 };
      return fakeStep("codegen", { round, output: { files_changed: 1, insertions: 2, deletions: 0, spent } });
    };
    const failed = fakeStep("buildtest", { verdict: "failed", output: { tests_passed: 1, tests_failed: 1 } });
    const first = fakeView({
      steps: [made(0, 1200), failed, fakeStep("codegen", { round: 1, status: "running" })],
    });
    const second = fakeView({ steps: [made(0, 1200), failed, made(1, 3000)] });
    const { terminal, text } = screen(true, { NO_COLOR: "1" });
    const display = createTaskDisplay(terminal);
    display.update(first);
    await until(() => /^ {4}round 2, 1,200 tokens, 0\.1200 USD$/m.test(text()));
    display.stop();
    const piped = screen(false);
    const plain = createTaskDisplay(piped.terminal);
    for (const view of [first, first, second]) plain.update(view);
    expect(piped.text().trimEnd().split("\n")).toHaveLength(4);
    expect(piped.text()).toContain("1 file changed, +2 −0, 1,200 tokens, 0.1200 USD so far");
    expect(piped.text()).toMatch(/codegen, repair 1 .* 3,000 tokens, 0\.3000 USD so far/);
  });

  it("names the reason a step waits for, and its attempt", () => {
    const { terminal, text } = screen(false);
    const waiting = { status: "waiting", code: "THROTTLED", message: "slow down", attempts: 2 } as const;
    createTaskDisplay(terminal).update(fakeView({ steps: [fakeStep("codegen", waiting)] }));
    expect(text()).toContain("waiting  THROTTLED  slow down  attempt 2");
  });

  it("shows only ends where that is asked for", () => {
    const { terminal, text } = screen(false);
    const display = createTaskDisplay(terminal, { ends_only: true });
    display.update(running);
    expect(text()).toBe("");
    display.update(ended);
    expect(text()).toContain("✓ codegen");
  });
});
