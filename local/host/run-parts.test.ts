import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { anyFreePort } from "../ports.ts";
import type { HostPart } from "./part.ts";
import { runParts } from "./run-parts.ts";

/** A part that starts at once, and what became of it. */
function fake(name: string, change: Partial<HostPart> = {}) {
  const seen = { installed: 0, stopped: 0, end: (_code: number) => {} };
  const ended = new Promise<number>((resolve) => {
    seen.end = resolve;
  });
  const part: HostPart = {
    name,
    title: `${name} 1.0`,
    port_default: 0,
    tools: [],
    install: async () => {
      seen.installed += 1;
    },
    start: async ({ port }) => ({
      endpoint: `http://127.0.0.1:${port}`,
      environment: { [`${name.toUpperCase()}_URL`]: `http://127.0.0.1:${port}` },
      pid: 1,
      ended,
      stop: async () => {
        seen.stopped += 1;
      },
    }),
    ...change,
  };
  return { part, seen };
}

function options(ports: Record<string, number> = {}) {
  const lines: string[] = [];
  const directory = temporaryDirectory("parts");
  return { directory, ports, lines, tell: (line: string) => void lines.push(line) };
}

describe("runParts", () => {
  it("tells where each part is, on the terminal and in a file that goes when they stop", async () => {
    const [a, b] = [fake("a"), fake("b")];
    const chosen = options({ b: await anyFreePort() });
    const running = await runParts([a.part, b.part], chosen);
    const file = join(chosen.directory, "environment.json");
    const expected = { A_URL: "http://127.0.0.1:0", B_URL: `http://127.0.0.1:${chosen.ports.b}` };
    expect(running.environment).toEqual(expected);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(expected);
    expect(chosen.lines.join("\n")).toMatch(/^a {11}http:\/\/127\.0\.0\.1:0 .*a 1\.0, ready in [\d.]+ s$/m);
    await running.stop();
    expect([a.seen.stopped, b.seen.stopped, existsSync(file)]).toEqual([1, 1, false]);
  });

  it("names all that is missing before it installs anything", async () => {
    const listener = createServer().listen(0, "127.0.0.1");
    const port = await new Promise<number>((resolve) =>
      listener.once("listening", () => resolve((listener.address() as { port: number }).port)),
    );
    const tool = { command: "no-such-tool", version_arguments: [], install_hint: "get it" } as const;
    const a = fake("a", { tools: [{ ...tool, version_minimum: [1, 0] }] });
    const b = fake("b", { complaints: async () => ["There is no Python."] });
    const refused = runParts([a.part, b.part], options({ b: port }));
    await expect(refused).rejects.toThrow(
      "no-such-tool is missing: install 1.0 or later (get it).\n" +
        "There is no Python.\n" +
        `Port ${port}, for b, is taken: stop what listens there, or choose another with --port b=${port + 100}.`,
    );
    expect(a.seen.installed + b.seen.installed).toBe(0);
    listener.close();
  });

  it("leaves none running when one does not start", async () => {
    const a = fake("a");
    const broken = fake("b", { start: () => Promise.reject(new Error("b was not ready within 3 s.")) });
    await expect(runParts([a.part, broken.part], options())).rejects.toThrow("b was not ready within 3 s.");
    expect(a.seen.stopped).toBe(1);
  });

  it("says which part ended by itself", async () => {
    const [a, b] = [fake("a"), fake("b")];
    const running = await runParts([a.part, b.part], options());
    b.seen.end(1);
    expect(await running.failed).toBe("b");
  });
});
