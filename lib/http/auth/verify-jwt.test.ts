import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyJwt } from "#lib/http/auth/verify-jwt.ts";
import { AuthenticationConfig, type JwtIssuer } from "#schemas/config/authentication.ts";
import { AUTHENTICATION } from "#test/fakes/key-world.ts";

const NOW = Date.now();
const good = await generateKeyPair("ES256");
const stranger = await generateKeyPair("ES256");
const rsa = await generateKeyPair("RS256");
const jwks = {
  keys: [
    { ...(await exportJWK(good.publicKey)), kid: "one", alg: "ES256" },
    { ...(await exportJWK(rsa.publicKey)), kid: "rsa", alg: "RS256" },
  ],
};
const server = createServer((request, response) => {
  if (request.url === "/jwks.json") response.end(JSON.stringify(jwks));
  else response.writeHead(500).end();
});
let issuer: JwtIssuer;
beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  issuer = {
    issuer: "https://login.example",
    jwks_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    audiences: ["agents"],
    algorithms: ["ES256"],
    tenant_claim: "org",
    scope_claim: "scope",
    scope_prefix: "",
    clock_tolerance_seconds: 5,
  };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const claims = {
  iss: "https://login.example",
  aud: "agents",
  sub: "ada",
  org: "acme",
  scope: "read submit openid",
  exp: Math.floor(NOW / 1000) + 600,
};

function sign(changed: object = {}, header: object = {}, key = good.privateKey): Promise<string> {
  const payload = JSON.parse(JSON.stringify({ ...claims, ...changed }));
  return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "one", ...header }).sign(key);
}
const check = (token: string, changed: Partial<JwtIssuer> = {}) =>
  verifyJwt(token, [{ ...issuer, ...changed }], NOW);

describe("a token of a configured issuer", () => {
  it("stands for its tenant, with the scopes we know, until it ends", async () => {
    expect(await check(await sign())).toEqual({
      identity: {
        tenant: "acme",
        subject: "jwt:ada",
        scopes: ["submit", "read"],
        valid_until: new Date(claims.exp * 1000).toISOString(),
      },
    });
  });

  it("may have its scopes as a list, and with a prefix", async () => {
    const token = await sign({ scope: ["agents:read", "admin", 7] });
    expect(await check(token, { scope_prefix: "agents:" })).toMatchObject({ identity: { scopes: ["read"] } });
    expect(await check(await sign({ scope: undefined }))).toMatchObject({ identity: { scopes: [] } });
  });

  it.each([
    ["another issuer", { iss: "https://evil.example" }],
    ["no issuer", { iss: undefined }],
    ["another audience", { aud: "others" }],
    ["no audience", { aud: undefined }],
    ["an end that has come", { exp: Math.floor(NOW / 1000) - 60 }],
    ["no end", { exp: undefined }],
    ["a beginning to come", { nbf: Math.floor(NOW / 1000) + 600 }],
    ["no subject", { sub: undefined }],
    ["a subject with a line break", { sub: "ada\nroot" }],
    ["no tenant", { org: undefined }],
    ["an impossible tenant", { org: "acme#rival" }],
    ["a list of tenants", { org: ["acme"] }],
  ])("is refused with %s", async (_name, changed) => {
    expect(await check(await sign(changed))).toHaveProperty("refused");
  });

  it("is refused when somebody else signed it, or nobody did", async () => {
    expect(await check(await sign({}, {}, stranger.privateKey))).toHaveProperty("refused");
    expect(await check(new UnsecuredJWT(claims).encode())).toHaveProperty("refused");
    const [head, body] = (await sign()).split(".");
    expect(await check(`${head}.${body}.`)).toHaveProperty("refused");
  });

  it("is refused when its algorithm is not on the list, though its key is the issuer's", async () => {
    const token = await sign({}, { alg: "RS256", kid: "rsa" }, rsa.privateKey);
    expect(await check(token)).toHaveProperty("refused");
    expect(await check(token, { algorithms: ["RS256"] })).toHaveProperty("identity");
  });

  it("is refused when signed with the public key as a shared secret", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(jwks.keys[0]));
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(secret);
    expect(await check(forged)).toHaveProperty("refused");
  });

  it("is refused when its issuer may not speak for the tenant", async () => {
    expect(await check(await sign(), { tenants: ["rival"] })).toHaveProperty("refused");
    expect(await check(await sign(), { tenants: ["acme"] })).toHaveProperty("identity");
  });

  it("answers 503 when the issuer's keys cannot be had: that is not the caller's fault", async () => {
    const jwks_url = issuer.jwks_url.replace("jwks.json", "broken");
    await expect(check(await sign(), { jwks_url })).rejects.toMatchObject({
      status: 503,
      code: "ISSUER_UNAVAILABLE",
    });
    await expect(check(await sign(), { jwks_url: "http://127.0.0.1:9/" })).rejects.toMatchObject({
      status: 503,
    });
  });
});

describe("configs/authentication.json", () => {
  const parse = (changed: object) =>
    AuthenticationConfig.safeParse({ ...AUTHENTICATION, jwt_issuers: [{ ...issuer, ...changed }] }).success;

  it("takes an issuer, and refuses what would open the door", () => {
    expect(parse({})).toBe(true);
    expect(parse({ jwks_url: "http://login.example/jwks.json" })).toBe(false);
    expect(parse({ jwks_url: "file:///etc/keys" })).toBe(false);
    expect(parse({ algorithms: ["none"] })).toBe(false);
    expect(parse({ algorithms: ["HS256"] })).toBe(false);
    expect(parse({ algorithms: [] })).toBe(false);
    expect(parse({ audiences: [] })).toBe(false);
  });
});
