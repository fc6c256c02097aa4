import { describe, expect, it } from "vitest";
import { formatApiKey, issueApiKey, parseApiKey } from "#lib/http/auth/api-key.ts";
import { KEY_CACHE_MS, verifyApiKey } from "#lib/http/auth/verify-api-key.ts";
import { keyWorld } from "#test/fakes/key-world.ts";

const wish = { tenant: "acme", name: "test", scopes: ["read" as const], created_by: "local" };
const MINUTE_MS = 60_000;

async function issued(more: object = {}) {
  const made = keyWorld();
  // Ids differ between worlds, for a process remembers keys by id.
  const random = Math.random().toString(16).slice(2, 10).padEnd(8, "0");
  const hex = made.ports.runtime.hex;
  made.ports.runtime.hex = (bytes) => (random + hex(bytes)).slice(0, 8) + hex(bytes).slice(8);
  const { key, record } = await issueApiKey({ ...wish, ...more }, made.ports);
  const check = (text = key) => verifyApiKey(text, { ...made.ports, last_used_minutes: 15 });
  return { ...made, key, record, check };
}

describe("an API key", () => {
  it("is text with a checksum, and goes back into its parts", () => {
    const parts = { key_id: "0123456789abcdef", secret: "a".repeat(48) };
    const text = formatApiKey(parts);
    expect(text).toMatch(/^dak_0123456789abcdef_a{48}[0-9a-f]{8}$/);
    expect(parseApiKey(text)).toEqual(parts);
    expect(parseApiKey(text.slice(0, -1))).toBeUndefined();
    expect(parseApiKey(text.replace("0123", "0124"))).toBeUndefined();
  });

  it("is known by its secret, of which only an HMAC under the pepper is kept", async () => {
    const { check, key, items, ports } = await issued();
    expect(await check()).toMatchObject({ identity: { tenant: "acme", scopes: ["read"] } });
    expect(JSON.stringify([...items])).not.toContain(parseApiKey(key)?.secret);
    const elsewhere = { ...ports, pepper: "q".repeat(32), last_used_minutes: 15 };
    expect(await verifyApiKey(key, elsewhere)).toMatchObject({ refused: /wrong secret/ });
  });

  it("with another's secret opens nothing, like one that does not exist", async () => {
    const { check, key } = await issued();
    const { key_id = "" } = parseApiKey(key) ?? {};
    const secret = "0".repeat(48);
    expect(await check(formatApiKey({ key_id, secret }))).toMatchObject({ refused: /wrong secret/ });
    expect(await check(formatApiKey({ key_id: "f".repeat(16), secret }))).toMatchObject({
      refused: /unknown key/,
    });
  });

  it("costs no read when it is malformed", async () => {
    const { check, key, world } = await issued();
    expect(await check(key.slice(0, -1))).toEqual({ refused: "malformed key" });
    expect(world.reads).toBe(0);
  });

  it("ends at its time, in a process that remembers it too", async () => {
    const { check, world } = await issued({ valid_until: "2026-01-01T00:00:01.000Z" });
    expect(await check()).toHaveProperty("identity");
    world.now += 1000;
    expect(await check()).toMatchObject({ refused: /expired/ });
  });

  it("revoked elsewhere stops working within the cache's time, 2 s", async () => {
    const { check, world, items } = await issued();
    expect(await check()).toHaveProperty("identity");
    const [place, item] = [...items][0] ?? [];
    items.set(place ?? "", { ...item, revoked_at: "2026-01-01T00:00:00.000Z" });
    expect(await check()).toHaveProperty("identity");
    world.now += KEY_CACHE_MS;
    expect(await check()).toMatchObject({ refused: /revoked/ });
  });

  it("has its last use written once in a quarter of an hour, however often it is used", async () => {
    const { check, world, items } = await issued();
    const before = world.writes;
    for (let use = 0; use < 100; use += 1) {
      await check();
      world.now += 5000;
    }
    expect(world.writes - before).toBe(1);
    world.now += 15 * MINUTE_MS;
    await check();
    expect(world.writes - before).toBe(2);
    expect([...items.values()][0]?.last_used_at).toBe(new Date(world.now).toISOString());
  });

  it("of an older version of this system opens nothing and breaks nothing", async () => {
    const { check, key, items, world } = await issued();
    const [place] = [...items.keys()];
    items.set(place ?? "", { pk: "KEY#x", sk: "KEY", key_id: "x", secret_hash: "y" });
    world.now += KEY_CACHE_MS;
    expect(await check(key)).toMatchObject({ refused: /unknown/ });
  });
});
