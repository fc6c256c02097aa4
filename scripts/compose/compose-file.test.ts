import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { HOST_PARTS } from "../../local/host/parts.ts";
import { COMPOSE_FILE } from "./run-compose.ts";

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      ports: z.array(z.string()).min(1),
      volumes: z.array(z.string()).min(1),
      healthcheck: z.object({ test: z.array(z.string()).min(2), retries: z.int(), interval: z.string() }),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

const { services, volumes } = Compose.parse(parse(readFileSync(COMPOSE_FILE, "utf8")));
const hostTitle = (name: string) => HOST_PARTS.find((part) => part.name === name)?.title ?? "";

describe(COMPOSE_FILE, () => {
  it("has LocalStack and Neo4j", () => {
    expect(Object.keys(services).sort()).toEqual(["localstack", "neo4j"]);
  });

  it.each(Object.entries(services))("pins %s to the exact version that host mode runs", (name, { image }) => {
    const [, version] = /:(\d+\.\d+\.\d+)(-community)?$/.exec(image) ?? [];
    expect(version, image).toBeDefined();
    expect(hostTitle(name)).toContain(` ${version}`);
  });

  it("takes the last LocalStack without a licence, and Neo4j's Community Edition of the 5.26 line", () => {
    expect(services.localstack?.image).toBe("localstack/localstack:4.14.0");
    expect(services.neo4j?.image).toMatch(/^neo4j:5\.26\.\d+-community$/);
  });

  it.each(Object.entries(services))("publishes %s on loopback only, on its usual port", (name, { ports }) => {
    const { port_default } = HOST_PARTS.find((part) => part.name === name) ?? {};
    expect(ports).toEqual([`127.0.0.1:${port_default}:${port_default}`]);
  });

  it.each(Object.entries(services))("keeps the data of %s in a named volume", (_name, service) => {
    for (const volume of service.volumes) expect(Object.keys(volumes)).toContain(volume.split(":")[0]);
  });
});
