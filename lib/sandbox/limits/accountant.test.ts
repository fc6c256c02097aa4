import { describe, expect, it } from "vitest";
import { accountant } from "#lib/sandbox/limits/accountant.ts";
import type { ProcessSample } from "#lib/sandbox/process/process-table.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";

const limits = generousProfile({ cpu_seconds: 1, processes_max: 4, memory_bytes_max: 1000 });

/** A pid far above any real one, so that nothing is read from the machine the test runs on. */
const PID = 2 ** 30;

function sample(pid: number, values: Partial<ProcessSample> = {}): ProcessSample {
  return {
    pid: PID + pid,
    state: "R",
    parent: PID,
    group: PID,
    session: PID,
    cpu_ms: 0,
    reaped_cpu_ms: 0,
    threads: 1,
    started: 1,
    resident_bytes: 0,
    virtual_bytes: 0,
    ...values,
  };
}

describe("accounting", () => {
  it("adds up CPU time of processes that are gone, each once", () => {
    const accounts = accountant(limits, PID, 0);
    expect(accounts.add([sample(0), sample(1, { cpu_ms: 600 })])).toBeNull();
    expect(accounts.add([sample(0), sample(2, { cpu_ms: 400 })])).toBeNull();
    expect(accounts.add([sample(0, { reaped_cpu_ms: 1000 })])).toBeNull();
    expect(accounts.add([sample(0), sample(2, { cpu_ms: 410 })])).toMatchObject({
      code: "SANDBOX_CPU_TIME",
      observed: 1.01,
    });
  });

  it("takes a reused pid for another process", () => {
    const accounts = accountant(limits, PID, 0);
    accounts.add([sample(1, { cpu_ms: 600, started: 1 })]);
    expect(accounts.add([sample(1, { cpu_ms: 600, started: 2 })])?.code).toBe("SANDBOX_CPU_TIME");
  });

  it("counts the children waited for by the living", () => {
    const accounts = accountant(limits, PID, 0);
    expect(accounts.add([sample(0, { reaped_cpu_ms: 1000 })])).toBeNull();
    expect(accounts.add([sample(0, { reaped_cpu_ms: 1010 })])?.code).toBe("SANDBOX_CPU_TIME");
  });

  it("counts threads as processes, and leaves the backend's own two out", () => {
    const deep = { parent: PID + 1 };
    const members = [sample(0, { parent: 1 }), sample(1), sample(2, { ...deep, threads: 4 })];
    expect(accountant(limits, PID, 2).add(members)).toBeNull();
    expect(accountant(limits, PID, 2).add([...members, sample(3, deep)])).toMatchObject({
      code: "SANDBOX_PROCESSES",
      observed: 5,
    });
    expect(accountant(limits, PID, 0).add(members)?.observed).toBe(6);
  });

  it("counts what the backend's process inside uses, from the moment the command is there and also after it", () => {
    const accounts = accountant(limits, PID, 2);
    const outside = sample(0, { parent: 1, resident_bytes: 5000 });
    const busy = sample(1, { resident_bytes: 2000, threads: 9 });
    expect(accounts.add([outside, busy])).toBeNull();
    expect(accounts.add([outside, sample(1), sample(2, { parent: PID + 1 })])).toBeNull();
    expect(accounts.add([outside, sample(1, { resident_bytes: 2000 })])).toMatchObject({
      code: "SANDBOX_MEMORY",
      observed: 2000,
    });
    expect(accounts.add([outside, sample(1, { threads: 6 })])).toMatchObject({
      code: "SANDBOX_PROCESSES",
      observed: 5,
    });
  });

  it("names memory held at once, not one after another", () => {
    const accounts = accountant(limits, PID, 0);
    expect(accounts.add([sample(1, { resident_bytes: 1000 })])).toBeNull();
    expect(accounts.add([sample(2, { resident_bytes: 1000 })])).toBeNull();
    const both = [sample(1, { resident_bytes: 501 }), sample(2, { resident_bytes: 500 })];
    expect(accounts.add(both)).toMatchObject({ code: "SANDBOX_MEMORY", limit: 1000, observed: 1001 });
    expect(accounts.peaks()).toMatchObject({ cpu_ms: 0, memory_bytes_peak: 1001, processes_peak: 2 });
  });

  it("claims nothing where nothing can be measured", () => {
    const accounts = accountant(limits, PID, 0);
    expect(accounts.add([])).toBeNull();
    expect(accounts.peaks()).toBeNull();
  });
});
