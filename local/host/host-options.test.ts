import { describe, expect, it } from "vitest";
import { hostHelp, hostOptions } from "./host-options.ts";
import { HOST_PARTS } from "./parts.ts";

const options = (...argv: string[]) => hostOptions(argv, HOST_PARTS, "/repository");

describe("hostOptions", () => {
  it("runs every part on its own port, with data in the repository, unless told otherwise", () => {
    const { parts, ...rest } = options();
    expect(parts).toEqual(HOST_PARTS);
    expect(rest).toEqual({
      ports: {},
      directory: "/repository/.local/host",
      install_only: false,
      json: false,
      help: false,
    });
  });

  it("takes a choice of parts, ports and another folder", () => {
    const chosen = options("--only", "dynamodb", "--port", "dynamodb=4601", "--data-dir", "/data", "--json");
    expect(chosen).toMatchObject({ ports: { dynamodb: 4601 }, directory: "/data", json: true });
    expect(chosen.parts.map(({ name }) => name)).toEqual(["dynamodb"]);
  });

  it.each(["4601", "redis=4601", "dynamodb=", "dynamodb=0", "dynamodb=70000"])(
    "refuses --port %s",
    (port) => {
      expect(() => options("--port", port)).toThrow("--port takes a part and a number");
    },
  );

  it("tells in its help what each part is and where it listens", () => {
    for (const { name, title, port_default } of HOST_PARTS) {
      expect(hostHelp(HOST_PARTS)).toContain(`${name.padEnd(10)}  ${port_default}  ${title}`);
    }
  });
});
