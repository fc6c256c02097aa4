import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { anyFreePort, isFree } from "../../local/ports.ts";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";

const service_dir = fileURLToPath(new URL("../../local/fixtures/service", import.meta.url));
const start_file = fileURLToPath(new URL("../../local/start.ts", import.meta.url));
const directories: string[] = [];
let stacks: Stack[] = [];

function newDirectory() {
  const directory = temporaryDirectory("local-stack");
  directories.push(directory);
  return directory;
}

async function start(options: StackOptions = {}) {
  const stack = await startStack({ service_dir, data_dir: newDirectory(), ...options });
  stacks.push(stack);
  return stack;
}

afterEach(async () => {
  for (const stack of stacks) stack.kill();
  stacks = [];
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const send = (stack: Stack, body: string) => fetch(`${stack.url}/items`, { method: "POST", body });
async function state(stack: Stack) {
  const answer = await fetch(`${stack.url}/items`);
  const { items, ...rest } = (await answer.json()) as {
    service: string;
    dead: number;
    items: [string, string][];
  };
  return { ...rest, items: Object.fromEntries(items) as Record<string, string> };
}
const untilItem = (stack: Stack, name: string) =>
  vi.waitUntil(async () => (await state(stack)).items[name], { timeout: 40_000, interval: 100 });
/** The log is written by another process than the one that answers. */
const untilLogged = (stack: Stack, text: string) =>
  vi.waitUntil(() => readFileSync(join(stack.data_dir, "stack.log"), "utf8").includes(text), {
    timeout: 40_000,
    interval: 50,
  });
const untilFree = (stack: Stack) =>
  vi.waitUntil(() => isFree(Number(new URL(stack.url).port)), { timeout: 20_000, interval: 50 });

async function run(...argv: string[]) {
  const child = spawn(process.execPath, [start_file, ...argv], { cwd: service_dir });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  return { code, output };
}

describe("a running stack", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ service_dir, data_dir: newDirectory() });
  });
  afterAll(() => stack.kill());

  it("runs HTTP, queue and schedule functions, each with its own environment", async () => {
    expect((await send(stack, "hello")).status).toBe(202);
    expect(await untilItem(stack, "ended hello")).toBe("worker");
    expect(await untilItem(stack, "ticks")).toBe("aws.events");
    expect((await state(stack)).service).toBe("front");
    expect(await (await fetch(`${stack.url}/items/kept/as/object`)).text()).toBe("hello");
    await untilLogged(stack, '{"code":"FRONT_ASKED","service":"front"}');
  });

  it("answers 500 without the stack when a function throws, and logs it", async () => {
    const answer = await send(stack, "throw");
    expect([answer.status, await answer.json()]).toEqual([500, { message: "Internal Server Error" }]);
    await untilLogged(stack, "secret inside");
  });

  it("outlives an error that no handler awaits", async () => {
    await send(stack, "stray");
    await untilItem(stack, "ended stray");
    await send(stack, "after");
    await untilItem(stack, "ended after");
    await untilLogged(stack, "nobody awaits me");
  });

  it("says in one line that its port or its data directory is taken, and names it", async () => {
    const { port } = new URL(stack.url);
    const same_port = await run("--port", port, "--data-dir", newDirectory());
    expect(same_port).toEqual({ code: 1, output: expect.stringMatching(/^Port \d+ is in use\. .*\n$/) });
    expect(same_port.output).toContain(port);
    const other_port = String(await anyFreePort());
    const same_data = await run("--port", other_port, "--data-dir", stack.data_dir);
    expect(same_data).toEqual({ code: 1, output: expect.stringMatching(/^The data directory .*\n$/) });
    expect(same_data.output).toContain(stack.data_dir);
    expect((await state(stack)).service).toBe("front");
  });

  it("runs beside another stack without sharing anything", async () => {
    const other = await start();
    await send(stack, "mine");
    await untilItem(stack, "ended mine");
    expect((await state(other)).items).not.toHaveProperty("ended mine");
  });
});

describe("starting and ending a stack", () => {
  it("says what is wrong with the service when it cannot start", async () => {
    const broken = newDirectory();
    const port = String(await anyFreePort());
    const options = ["--port", port, "--data-dir", join(broken, "data"), "--service", broken];
    const missing = await run(...options);
    expect(missing).toEqual({ code: 1, output: expect.stringMatching(/^There is no serverless\.yml in /) });
    writeFileSync(join(broken, "serverless.yml"), "service: [");
    const { code, output } = await run(...options);
    expect(code).toBe(1);
    expect(output).toContain("serverless.yml");
    expect(output).toContain(join(broken, "data", "stack.log"));
  });

  it("refuses a bad option with a sentence, and helps", async () => {
    expect(await run("--port", "http")).toEqual({ code: 1, output: expect.stringContaining("65535") });
    expect(await run("--help")).toEqual({ code: 0, output: expect.stringContaining("--data-dir") });
  });

  it("lets running invocations finish on SIGTERM, and keeps its data", async () => {
    const stack = await start();
    await send(stack, "slow");
    await untilItem(stack, "begun slow");
    process.kill(stack.pid, "SIGTERM");
    await untilFree(stack);
    await stack.stop();
    const again = await start({ data_dir: stack.data_dir });
    const { items } = await state(again);
    expect(items).toMatchObject({ "begun slow": "1", "ended slow": "worker" });
  });

  it("gives back what was being worked on when everything is killed, and loses nothing", async () => {
    const stack = await start();
    await send(stack, "before");
    await untilItem(stack, "ended before");
    await send(stack, "slow");
    await untilItem(stack, "begun slow");
    stack.kill();
    const again = await start({ data_dir: stack.data_dir, port: Number(new URL(stack.url).port) });
    await untilItem(again, "ended slow");
    expect((await state(again)).items).toMatchObject({ "ended before": "worker", "begun slow": "2" });
    expect(await (await fetch(`${again.url}/items/kept/as/object`)).text()).toBe("slow");
  });

  it("leaves nothing running when only its first process is killed", async () => {
    const stack = await start();
    process.kill(stack.pid, "SIGKILL");
    await untilFree(stack);
  });

  it("ends, and recovers, when the process with the functions dies", async () => {
    const stack = await start();
    await send(stack, "crash");
    await untilFree(stack);
    const again = await start({ data_dir: stack.data_dir });
    await untilItem(again, "ended crash");
    expect((await state(again)).items["begun crash"]).toBe("2");
  });

  it("ends with the process that started it, even when that one is killed", async () => {
    const port = await anyFreePort();
    const script = `
      import { startStack } from ${JSON.stringify(new URL("../../local/stack.ts", import.meta.url).href)};
      await startStack(${JSON.stringify({ port, service_dir, data_dir: newDirectory() })});
      console.log("ready");
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", script]);
    await once(owner.stdout, "data");
    expect(await isFree(port)).toBe(false);
    owner.kill("SIGKILL");
    await vi.waitUntil(() => isFree(port), { timeout: 20_000, interval: 50 });
  });

  it("ends with npm, even when npm is killed", async () => {
    const port = await anyFreePort();
    const options = ["--port", `${port}`, "--data-dir", newDirectory(), "--service", service_dir];
    const npm = spawn("npm", ["start", "--", ...options]);
    await vi.waitUntil(async () => !(await isFree(port)), { timeout: 40_000, interval: 100 });
    npm.kill("SIGKILL");
    await vi.waitUntil(() => isFree(port), { timeout: 40_000, interval: 50 });
  });
});
