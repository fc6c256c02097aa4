import { describe, expect, it } from "vitest";
import { bubblewrapPaths } from "#lib/platform/settings/bubblewrap.ts";

describe("BUBBLEWRAP_PATH", () => {
  it("names the one path that is looked at", () => {
    expect(bubblewrapPaths({ BUBBLEWRAP_PATH: "/opt/bwrap" })).toEqual(["/opt/bwrap"]);
  });

  it("hides bubblewrap when it is `none`", () => {
    expect(bubblewrapPaths({ BUBBLEWRAP_PATH: "none" })).toEqual([]);
  });

  it("leaves the usual places when it is empty or not set", () => {
    expect(bubblewrapPaths({})).toContain("/usr/bin/bwrap");
    expect(bubblewrapPaths({ BUBBLEWRAP_PATH: "" })).toEqual(bubblewrapPaths({}));
  });

  it("is refused when it depends on the working directory", () => {
    expect(() => bubblewrapPaths({ BUBBLEWRAP_PATH: "bin/bwrap" })).toThrow("BUBBLEWRAP_PATH");
  });
});
