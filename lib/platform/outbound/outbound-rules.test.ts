import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { outboundRules } from "#lib/platform/outbound/resolve-host.ts";
import { OutboundConfig } from "#schemas/config/outbound.ts";

const widest = { $schema: "", local: { schemes: ["https", "http"], addresses: "any" } };

describe("where connections may lead", () => {
  it("is what the file says on the local stage, and public https on every other", () => {
    const config = OutboundConfig.parse(widest);
    expect(outboundRules(config, "local")).toEqual(widest.local);
    for (const stage of ["prod", "dev", "", "Local"]) {
      expect(outboundRules(config, stage)).toEqual({ schemes: ["https"], addresses: "public" });
    }
  });

  it("cannot be widened for another stage by the file", () => {
    expect(OutboundConfig.safeParse({ ...widest, prod: widest.local }).success).toBe(false);
    const shipped = OutboundConfig.parse(JSON.parse(readFileSync("configs/outbound.json", "utf8")));
    expect(shipped.local.addresses).toBe("loopback");
  });
});
