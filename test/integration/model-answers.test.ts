import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import { runOnce } from "#lib/resilience/idempotency/run-once.ts";
import { checkTaskBudget, reserve } from "#lib/resilience/spending/model-spending.ts";
import { GraphConfig } from "#schemas/config/graph.ts";
import { type FakeAgentContext, fakeAgentContext } from "#test/fakes/agent-context.ts";
import { modelChoice } from "#test/fakes/model-choice.ts";
import { modelServer } from "#test/fakes/model-server.ts";
import { realTable } from "#test/fakes/real-table.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { applyModel } from "../../functions/codegen/providers/model.ts";
import type { Once } from "../../functions/codegen/providers/stored-answer.ts";

const graph = GraphConfig.parse(JSON.parse(readFileSync("configs/graph.json", "utf8")));
const ANSWER =
  "add.js\n<<<<<<< SEARCH\nexport const add = (a, b) => a - b;\n=======\nexport const add = (a, b) => a + b;\n>>>>>>> REPLACE\n";

let place: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  place = await realTable();
});
afterAll(() => place?.close());

class Killed extends Error {}

/** The table of a process that is killed right before, or right after, one of its writes to the record of an answer. */
function killedAt(table: TableClient, at: number, gap: "before" | "after"): TableClient {
  let writes = 0;
  let dead = false;
  const send = async (command: { constructor: { name: string }; input: { Key?: { pk?: string } } }) => {
    if (dead) throw new Killed();
    const counts =
      command.constructor.name === "UpdateCommand" && command.input.Key?.pk?.startsWith("IDEMPOTENCY");
    if (counts) writes += 1;
    dead = Boolean(counts) && writes === at;
    if (dead && gap === "before") throw new Killed();
    const answer = await table.send(command as never);
    if (dead) throw new Killed();
    return answer;
  };
  return { send } as unknown as TableClient;
}

describe("the answer of a model", () => {
  let server: Awaited<ReturnType<typeof modelServer>>;
  let fake: FakeAgentContext;
  let task_number = 0;
  beforeEach(async () => {
    server = await modelServer([{ text: ANSWER }]);
    task_number += 1;
    fake = fakeAgentContext({ task_id: `task_${String(task_number).padStart(26, "0")}` });
  });
  afterEach(() => server.close());

  /** One delivery of the step's message, to a process of its own. */
  async function deliver(table: TableClient = place.table, lease_seconds = 1): Promise<string> {
    const directory = temporaryDirectory("answers");
    writeFileSync(join(directory, "add.js"), "export const add = (a, b) => a - b;\n");
    const { table_name } = place;
    const once: Once = (key, source, work) => {
      const options = {
        table,
        table_name,
        namespace: "model_answers",
        lease_seconds,
        runtime: systemRuntime,
      };
      return runOnce(options, key, source, work);
    };
    const text = await fake.blobs.write("add subtracts", "text/plain");
    const choice = modelChoice({ model: { base_url: server.base_url("openai-compatible") } });
    const budget = { table: place.table, table_name, now: Date.now };
    const task = { change: { kind: "prompt" as const, text }, round: 0, directory };
    await applyModel(task, fake.context, {
      choice,
      once,
      budget,
      graph,
      code: codeWork,
      readTree: (tree) => readTree(tree, graph),
    });
    return readFileSync(join(directory, "add.js"), "utf8");
  }
  const delivered = () =>
    expect
      .poll(() => deliver().catch((error: { code?: string }) => error.code), {
        timeout: 60_000,
        interval: 200,
      })
      .toContain("a + b");

  it("is paid for once, however often the message comes", async () => {
    await deliver();
    await deliver();
    await Promise.all([deliver(), deliver()]);
    expect(server.asked).toHaveLength(1);
  });

  it("is paid for once when two deliveries come at the same time", async () => {
    const finish = server.hold();
    const first = deliver(place.table, 600);
    await expect.poll(() => server.asked.length, { timeout: 60_000 }).toBe(1);
    await expect(deliver()).rejects.toMatchObject({ code: "IN_PROGRESS" });
    finish();
    expect(await first).toContain("a + b");
    await delivered();
    expect(server.asked).toHaveLength(1);
  });

  it("is paid for once when the process is killed after it was stored, before it was used", async () => {
    await expect(deliver(killedAt(place.table, 2, "after"))).rejects.toThrow();
    expect(server.asked).toHaveLength(1);
    await delivered();
    expect(server.asked).toHaveLength(1);
  });

  it("is not asked for by a process that is killed when it has just claimed it, and then by the next one", async () => {
    await expect(deliver(killedAt(place.table, 1, "after"))).rejects.toThrow();
    expect(server.asked).toEqual([]);
    await delivered();
    expect(server.asked).toHaveLength(1);
  });

  it("is asked for again after a failure, and then kept", async () => {
    server.answer({ status: 503 }, { text: ANSWER });
    await expect(deliver()).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
    await delivered();
    await deliver();
    expect(server.asked).toHaveLength(2);
  });
});

describe("the budget of a tenant's day", () => {
  const noon = Date.parse("2026-03-04T12:00:00.000Z");
  const ports = (now = noon) => ({ ...place, now: () => now });
  const limited = (policy: object) => modelChoice({ policy: { tenant_day_tokens_max: 1000, ...policy } });
  const most = { tokens: 400, usd_micros: 400 };

  it("is set aside before a question and settled after it, so that no number of them passes it", async () => {
    const choice = limited({});
    const asked = await Promise.allSettled(
      Array.from({ length: 5 }, () => reserve("many", most, choice, ports())),
    );
    const held = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(held).toHaveLength(2);
    await held[0]?.settle({ tokens: 100, usd_micros: 0 });
    await (await reserve("many", most, choice, ports())).settle({ tokens: 0, usd_micros: 0 });
    await held[1]?.settle({ tokens: 700, usd_micros: 0 });
    await expect(reserve("many", most, choice, ports())).rejects.toMatchObject({
      code: "MODEL_DAY_BUDGET_SPENT",
      disposition: "park",
      retry_at_ms: Date.parse("2026-03-05T00:00:00.000Z"),
      message: expect.stringContaining("tenant_day_tokens_max"),
    });
  });

  it("is another tenant's, and another day's, own", async () => {
    const choice = limited({ tenant_day_tokens_max: 400 });
    await reserve("one", most, choice, ports());
    await expect(reserve("one", most, choice, ports())).rejects.toMatchObject({
      code: "MODEL_DAY_BUDGET_SPENT",
    });
    await reserve("two", most, choice, ports());
    await reserve("one", most, choice, ports(noon + 86_400_000));
  });

  it("limits money by itself, and a question that is larger than the whole of it is never asked", async () => {
    const choice = limited({ tenant_day_tokens_max: null, tenant_day_usd_max: 0.0005 });
    await reserve("money", most, choice, ports());
    await expect(reserve("money", most, choice, ports())).rejects.toMatchObject({
      code: "MODEL_DAY_BUDGET_SPENT",
    });
    const large = { tokens: 1, usd_micros: 501 };
    await expect(reserve("nothing yet", large, choice, ports())).rejects.toThrow("tenant_day_usd_max");
    expect(() => checkTaskBudget(large, large, choice)).not.toThrow();
  });
});
