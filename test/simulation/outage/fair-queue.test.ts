import { describe, expect, it } from "vitest";
import { fairQueue } from "../../../bench/outage/fair-queue.ts";
import { seededRandom } from "../engine/random.ts";

function clockedQueue(receives_max?: number) {
  let now = 0;
  const settings = { name: "work", visibility_ms: 30_000, receives_max };
  const queue = fairQueue(settings, () => now, seededRandom(1));
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { queue, pass };
}

describe("the bench's fair queue", () => {
  it("serves the tenant with the fewest messages in flight first, whoever sent first", () => {
    const { queue } = clockedQueue();
    for (let index = 0; index < 10; index += 1) queue.send(`large ${index}`, { tenant: "large" });
    queue.receive(3, () => undefined);
    queue.send("small", { tenant: "small" });
    expect(queue.receive(1, () => undefined).map(({ body }) => body)).toEqual(["small"]);
  });

  it("hides what was received until its visibility timeout, and no longer", () => {
    const { queue, pass } = clockedQueue();
    queue.send("once", { tenant: "a" });
    expect(queue.receive(10, () => undefined)).toHaveLength(1);
    pass(29_999);
    expect(queue.receive(10, () => undefined)).toHaveLength(0);
    expect(queue.nextVisibleAt()).toBe(30_000);
    pass(1);
    expect(queue.receive(10, () => undefined)).toMatchObject([{ body: "once", receives: 2 }]);
  });

  it("takes an acknowledgement from the latest receipt only", () => {
    const { queue, pass } = clockedQueue();
    queue.send("twice", { tenant: "a" });
    const [first] = queue.receive(1, () => undefined);
    pass(30_000);
    const [second] = queue.receive(1, () => undefined);
    expect(queue.acknowledge("twice", first?.receipt ?? "")).toBe(false);
    expect(queue.acknowledge(second?.id ?? "", first?.receipt ?? "")).toBe(false);
    expect(queue.acknowledge(second?.id ?? "", second?.receipt ?? "")).toBe(true);
    expect(queue.nextVisibleAt()).toBeUndefined();
  });

  it("changes when a message comes back, unless it did already", () => {
    const { queue, pass } = clockedQueue();
    queue.send("later", { tenant: "a" });
    const [message] = queue.receive(1, () => undefined);
    expect(queue.changeVisibility(message?.receipt ?? "", 100)).toBe(true);
    pass(99_999);
    expect(queue.receive(1, () => undefined)).toHaveLength(0);
    pass(1);
    expect(queue.changeVisibility(message?.receipt ?? "", 100)).toBe(false);
    expect(queue.receive(1, () => undefined)).toHaveLength(1);
  });

  it("gives up a message whose receives are spent, and only then", () => {
    const { queue, pass } = clockedQueue(2);
    const given_up: string[] = [];
    const receive = () => queue.receive(1, ({ body }) => given_up.push(body));
    queue.send("poison", { tenant: "a" });
    for (let index = 0; index < 2; index += 1) {
      expect(receive()).toHaveLength(1);
      pass(30_000);
    }
    expect(given_up).toEqual([]);
    expect(receive()).toHaveLength(0);
    expect(given_up).toEqual(["poison"]);
  });
});
