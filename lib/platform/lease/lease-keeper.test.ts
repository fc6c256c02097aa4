import { afterEach, describe, expect, it, vi } from "vitest";
import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";

const LONG_MS = 3_600_000;
const kept: { stop(): void }[] = [];
afterEach(() => {
  for (const lease of kept.splice(0)) lease.stop();
});

function keeping(look: () => Promise<void>, lease_ms = LONG_MS, interval_ms = 5) {
  const renew = vi.fn(async () => {});
  const onLost = vi.fn();
  kept.push(
    keepLease({
      ...{ name: "step run", runtime: systemRuntime, renew, onLost, leaseMs: () => lease_ms },
      look: { interval_ms, work: look },
    }),
  );
  return { renew, onLost };
}

describe("a lease that is looked after", () => {
  it("is known to be lost long before its renewal", async () => {
    const { renew, onLost } = keeping(async () => {
      throw new LeaseLost("step run");
    });
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce());
    expect(renew).not.toHaveBeenCalled();
  });

  it("is not lost because a look failed", async () => {
    const look = vi.fn(async () => {
      throw new Error("the table does not answer");
    });
    const { onLost } = keeping(look);
    await vi.waitFor(() => expect(look.mock.calls.length).toBeGreaterThan(2));
    expect(onLost).not.toHaveBeenCalled();
  });

  it("is renewed all the same", async () => {
    const look = vi.fn(async () => {});
    const { renew } = keeping(look, 300, 20);
    await vi.waitFor(() => expect(renew.mock.calls.length).toBeGreaterThan(1), { timeout: 10_000 });
    expect(look).toHaveBeenCalled();
  });

  it("is left alone once it is let go", async () => {
    const look = vi.fn(async () => {});
    const { renew } = keeping(look);
    await vi.waitFor(() => expect(look).toHaveBeenCalled());
    kept[0]?.stop();
    const looks = look.mock.calls.length;
    await systemRuntime.sleep(50);
    expect(look.mock.calls.length).toBeLessThanOrEqual(looks + 1);
    expect(renew).not.toHaveBeenCalled();
  });
});
