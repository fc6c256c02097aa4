import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { startStack } from "../../local/stack.ts";

export interface TestStage {
  url: string;
  /** For files of this run. */
  directory: string;
  /** Names an `owner` and a `stranger`, in the form of the Web Fuzzing Commons. */
  auth_file: string;
  isOwnerLetIn(): Promise<boolean>;
  stop(): Promise<void>;
}

const ISSUER = "https://login.example";
const SCOPES = "submit read operate admin";

/**
 * A stack with two tenants who come with tokens: a key could be revoked by the tests themselves, and all
 * that followed would be 401. Failed attempts are not limited, for the tests fail on purpose.
 */
export async function startTestStage(): Promise<TestStage> {
  const directory = mkdtempSync(join(tmpdir(), "openapi-"));
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }];
  const issuer = createServer((_request, response) => void response.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => void issuer.listen(0, "127.0.0.1", resolve));
  const jwks_url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/`;
  const stack = await startStack({
    data_dir: join(directory, "data"),
    env: { CONFIG_DIRECTORY: configsWith(directory, jwks_url) },
  });
  const token = (tenant: string) =>
    new SignJWT({ tenant, scope: SCOPES })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setIssuer(ISSUER)
      .setAudience("agents")
      .setSubject("tester")
      .setExpirationTime("1h")
      .sign(privateKey);
  const owner = `Bearer ${await token("owner")}`;
  const auth = [
    { name: "owner", fixedHeaders: [{ name: "Authorization", value: owner }] },
    {
      name: "stranger",
      fixedHeaders: [{ name: "Authorization", value: `Bearer ${await token("stranger")}` }],
    },
  ];
  const auth_file = join(directory, "auth.json");
  writeFileSync(auth_file, JSON.stringify({ auth }), { mode: 0o600 });
  return {
    url: stack.url,
    directory,
    auth_file,
    isOwnerLetIn: async () =>
      (await fetch(`${stack.url}/api/tasks`, { headers: { authorization: owner } })).status === 200,
    async stop() {
      await stack.stop();
      issuer.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The shipped configuration, with the issuer in it. */
function configsWith(directory: string, jwks_url: string): string {
  const configs = join(directory, "configs");
  cpSync("configs", configs, { recursive: true });
  const file = join(configs, "authentication.json");
  const shipped = JSON.parse(readFileSync(file, "utf8"));
  const jwt_issuers = [{ issuer: ISSUER, jwks_url, audiences: ["agents"], algorithms: ["ES256"] }];
  writeFileSync(file, JSON.stringify({ ...shipped, failures_max: 1_000_000, jwt_issuers }));
  return configs;
}
