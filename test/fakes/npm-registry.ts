import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { selfSigned } from "#test/fakes/self-signed.ts";
import { rawArchive } from "#test/fakes/tar-archive.ts";

const { key: KEY, certificate: CERTIFICATE } = selfSigned(["registry.test", "localhost"], ["127.0.0.2"]);

const PACKAGES: Record<string, Record<string, string>> = {
  greeting: { "index.js": 'module.exports = () => "hello";\n' },
  shouting: {
    "index.js": 'const greeting = require("greeting");\nmodule.exports = () => greeting().toUpperCase();\n',
  },
};
const DEPENDENCIES: Record<string, Record<string, string>> = { shouting: { greeting: "1.0.0" } };

export interface NpmRegistry {
  port: number;
  /** Paths asked for. */
  asked: string[];
  /** A package that depends on two of the registry's, with its lock file and the registry's certificate. */
  project(host: string, extra?: Record<string, string>): Record<string, string>;
  close(): void;
}

/**
 * A registry of two packages, over TLS, on loopback. Its certificate is for registry.test,
 * 127.0.0.2 and localhost (which npm takes any address for); `/bytes/<n>` gives that many bytes.
 */
export async function startNpmRegistry(address: string): Promise<NpmRegistry> {
  const asked: string[] = [];
  const server = createServer({ cert: CERTIFICATE, key: KEY }, (request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const bytes = /^\/bytes\/(\d+)$/.exec(path)?.[1];
    if (bytes) return void response.end(Buffer.alloc(Number(bytes)));
    const name = /^\/(\w+)\/-\/\w+-1\.0\.0\.tgz$/.exec(path)?.[1] ?? "";
    if (!Object.hasOwn(PACKAGES, name)) return void response.writeHead(404).end("{}");
    response.end(tarball(name));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    project: (host, extra = {}) => ({ ...project(`https://${host}:${port}`), ...extra }),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function project(registry: string): Record<string, string> {
  const root = { name: "app", version: "1.0.0", dependencies: { shouting: "1.0.0" } };
  const locked = Object.keys(PACKAGES).map((name) => [
    `node_modules/${name}`,
    {
      version: "1.0.0",
      resolved: `${registry}/${name}/-/${name}-1.0.0.tgz`,
      integrity: `sha512-${createHash("sha512").update(tarball(name)).digest("base64")}`,
      dependencies: DEPENDENCIES[name] ?? {},
    },
  ]);
  const lock = { name: "app", version: "1.0.0", lockfileVersion: 3, requires: true };
  return {
    "package.json": JSON.stringify({ ...root, scripts: { test: "node --test" } }),
    "package-lock.json": JSON.stringify({ ...lock, packages: { "": root, ...Object.fromEntries(locked) } }),
    ".npmrc": `registry=${registry}/\n`,
    "registry.crt": CERTIFICATE,
    "app.test.js": `
      const assert = require("node:assert");
      require("node:test")("shouts", () => assert.equal(require("shouting")(), "HELLO"));`,
  };
}

function tarball(name: string): Buffer {
  const manifest = { name, version: "1.0.0", dependencies: DEPENDENCIES[name] ?? {} };
  const files = { "package.json": JSON.stringify(manifest), ...PACKAGES[name] };
  const entries = Object.entries(files).map(([path, body]) => ({ path: `package/${path}`, body }));
  return rawArchive(...entries);
}
