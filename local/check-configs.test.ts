import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { checkConfigs } from "./check-configs.ts";

const ENVIRONMENT = {
  CONFIG_SOURCE: "files",
  ...Object.fromEntries(
    ["orchestrator", "codegen", "coder", "buildtest", "sandbox", "indexing", "webhooks"].map((name) => [
      `QUEUE_URL_${name.toUpperCase()}`,
      "x",
    ]),
  ),
};

describe("checkConfigs", () => {
  let service: string;
  beforeEach(() => {
    service = temporaryDirectory("service");
    cpSync("configs", join(service, "configs"), { recursive: true });
  });
  afterEach(() => rmSync(service, { recursive: true, force: true }));

  it("names a directory or a file that is not there", () => {
    rmSync(join(service, "configs", "graph.json"));
    expect(() => checkConfigs(ENVIRONMENT, service)).toThrow(
      /graph\.json is missing[\s\S]*Nothing was started/,
    );
    rmSync(join(service, "configs"), { recursive: true });
    expect(() => checkConfigs(ENVIRONMENT, service)).toThrow(
      /^There is no directory .*configs .*Nothing was started\.$/,
    );
  });

  it("accepts what is shipped, and a service that reads no configuration", () => {
    expect(() => checkConfigs(ENVIRONMENT, service)).not.toThrow();
    rmSync(join(service, "configs"), { recursive: true });
    expect(() => checkConfigs({}, service)).not.toThrow();
  });

  it.each(readdirSync("configs").filter((name) => name.endsWith(".json")))(
    "names %s and where in it the fault is",
    (name) => {
      const file = join(service, "configs", name);
      const value = JSON.parse(readFileSync(file, "utf8"));
      for (const [text, fault] of [
        [JSON.stringify({ ...value, surprise: 1 }), "surprise"],
        [`${JSON.stringify(value)},`, "not JSON"],
        ["", "not JSON"],
      ] as const) {
        writeFileSync(file, text);
        expect(() => checkConfigs(ENVIRONMENT, service)).toThrow(`${file} is not valid`);
        expect(() => checkConfigs(ENVIRONMENT, service)).toThrow(fault);
      }
      rmSync(file);
      expect(() => checkConfigs(ENVIRONMENT, service)).toThrow(file);
    },
  );
});
