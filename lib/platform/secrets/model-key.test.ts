import { describe, expect, it } from "vitest";
import { keyReader } from "#lib/platform/secrets/model-key.ts";

function stage(secrets: Record<string, string | Error>, api_keys: Record<string, string> = {}) {
  const asked: string[] = [];
  let now = 0;
  const fetchSecret = async (id: string) => {
    asked.push(id);
    await Promise.resolve();
    const secret = secrets[id];
    if (secret instanceof Error) throw secret;
    return secret;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  const read = keyReader({ api_keys, fetchSecret, stage: "prod", now: () => now });
  return { read, asked, secrets, pass };
}
const ID = "distributed-agents/prod/MODEL_API_KEY_A";

describe("a key", () => {
  it("is the environment's own, and Secrets Manager is not asked", async () => {
    const { read, asked } = stage({ [ID]: "stored" }, { MODEL_API_KEY_A: "own" });
    expect(await read("MODEL_API_KEY_A")).toBe("own");
    expect(asked).toEqual([]);
  });

  it("is fetched by stage and name, once for five minutes, by however many at once", async () => {
    const { read, asked, secrets, pass } = stage({ [ID]: "stored" });
    const read_at_once = await Promise.all([read("MODEL_API_KEY_A"), read("MODEL_API_KEY_A")]);
    expect(read_at_once).toEqual(["stored", "stored"]);
    secrets[ID] = "rotated";
    pass(299_000);
    expect(await read("MODEL_API_KEY_A")).toBe("stored");
    expect(asked).toEqual([ID]);
    pass(2000);
    expect(await read("MODEL_API_KEY_A")).toBe("rotated");
    expect(asked).toEqual([ID, ID]);
  });

  it("that is missing, or could not be read, is looked for again at the next call", async () => {
    const { read, secrets } = stage({});
    expect(await read("MODEL_API_KEY_A")).toBe("");
    secrets[ID] = new Error("throttled");
    await expect(read("MODEL_API_KEY_A")).rejects.toThrow("throttled");
    secrets[ID] = "there now";
    expect(await read("MODEL_API_KEY_A")).toBe("there now");
  });

  it("is empty where there is neither", async () => {
    const read = keyReader({ api_keys: {}, stage: "local", now: Date.now });
    expect(await read("MODEL_API_KEY_A")).toBe("");
  });
});
