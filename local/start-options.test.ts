import { describe, expect, it } from "vitest";
import { startOptions } from "./start-options.ts";

describe("startOptions", () => {
  it("prefers flags to the environment and the environment to defaults", () => {
    expect(startOptions([], {}, "/here")).toMatchObject({ port: 3001, data_directory: "/here/.local" });
    const environment = { PORT: "4000", LOCAL_DATA_DIR: "/data" };
    expect(startOptions([], environment, "/here")).toMatchObject({ port: 4000, data_directory: "/data" });
    const flags = ["--port", "5000", "--data-dir", "mine"];
    expect(startOptions(flags, environment, "/here")).toMatchObject({
      port: 5000,
      data_directory: "/here/mine",
    });
  });

  it.each(["0", "65536", "http", "3001x", ""])("refuses the port %j", (port) => {
    expect(() => startOptions(["--port", port], {}, "/here")).toThrow("from 1 to 65535");
  });

  it("runs the stage that STAGE names, each with data of its own", () => {
    expect(startOptions([], {}, "/here").stage).toBe("local");
    expect(startOptions([], { STAGE: "localstack" }, "/here")).toMatchObject({
      stage: "localstack",
      data_directory: "/here/.local/localstack",
    });
    expect(() => startOptions([], { STAGE: "production" }, "/here")).toThrow("local and localstack");
  });

  it("refuses flags it does not know", () => {
    expect(() => startOptions(["--prot", "1"], {}, "/here")).toThrow("--prot");
  });
});
