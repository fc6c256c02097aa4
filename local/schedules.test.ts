import { describe, expect, it, vi } from "vitest";
import type { Log } from "#lib/platform/log/log.ts";
import { makeActivity, startSchedules } from "./schedules.ts";

const log: Log = { info() {}, warn() {}, error() {}, with: () => log };

describe("the schedules of the local stack", () => {
  it("run each function as often as it needs, however much happens meanwhile", async () => {
    const runs = { often: 0, rarely: 0 };
    const activity = makeActivity();
    const invoke = async (key: string) => {
      runs[key as keyof typeof runs] += 1;
    };
    const secondsOf = (key: string) => (key === "rarely" ? 1000 : 0.001);
    const schedules = startSchedules(["often", "rarely"], secondsOf, { invoke, log, region: "r", activity });
    const happening = setInterval(activity.happened, 1);
    await vi.waitUntil(() => runs.often >= 20, { timeout: 60_000 });
    clearInterval(happening);
    await schedules.stop(60_000);
    expect(runs.rarely).toBe(1);
  });
});
