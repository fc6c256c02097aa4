import { describe, expect, it } from "vitest";
import { chooseBackend, probe, strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";

describe("the sandbox backend", () => {
  it("is the plain process where bubblewrap is missing, or is there and may not run", async () => {
    expect(await probe([])).toBe(processBackend);
    expect(await probe(["/nonexistent/bwrap"])).toBe(processBackend);
    expect(await probe(["/bin/false"])).toBe(processBackend);
  });

  it("is probed once", async () => {
    const first = strongestBackend();
    expect(strongestBackend()).toBe(first);
    expect(["bubblewrap", "process"]).toContain((await first).name);
  });

  it("is refused when it isolates less than the profile demands, and taken when that is enough", async () => {
    const reduced = async () => processBackend;
    await expect(chooseBackend("full", reduced)).rejects.toThrow(SandboxUnavailable);
    expect(await chooseBackend("reduced", reduced)).toBe(processBackend);
    const full = { ...processBackend, isolation: "full" as const };
    expect(await chooseBackend("full", async () => full)).toBe(full);
  });
});
