import { describe, expect, it } from "vitest";
import { Unreachable, UsageError } from "./cli-error.ts";
import { patiently } from "./patiently.ts";

const gone = () => new Unreachable("Nothing answers.", []);

describe("patiently", () => {
  it("sits out an outage and tells its beginning and end once", async () => {
    const notices: string[] = [];
    const onOutage = (notice: string) => void notices.push(notice);
    let calls = 0;
    const request = async () => {
      calls += 1;
      if (calls < 4) throw gone();
      return "here";
    };
    await expect(patiently(request, { outage_ms_max: 60_000, pause_ms: 1, onOutage })).resolves.toBe("here");
    expect(notices).toEqual(["Nothing answers. Trying again for 60 s …", "The API answers again."]);
  });

  it("gives up when the outage lasts too long", async () => {
    const request = () => Promise.reject(gone());
    await expect(patiently(request, { outage_ms_max: 20, pause_ms: 1 })).rejects.toThrow(Unreachable);
  });

  it("does not repeat what will not pass", async () => {
    let calls = 0;
    const request = () => {
      calls += 1;
      return Promise.reject(new UsageError("wrong"));
    };
    await expect(patiently(request, { outage_ms_max: 60_000, pause_ms: 1 })).rejects.toThrow("wrong");
    expect(calls).toBe(1);
  });
});
