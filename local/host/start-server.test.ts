import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { startServer } from "./start-server.ts";

function place() {
  const directory = temporaryDirectory("server");
  return { port: 0, data_directory: directory, log_file: join(directory, "server.log") };
}

/** A server that is ready once it has written its process id to `pid`. */
function server(data_directory: string, script: string) {
  const pid_file = join(data_directory, "pid");
  return {
    title: "Test server",
    command: process.execPath,
    arguments: ["-e", script],
    environment: { PID_FILE: pid_file },
    isReady: async () => existsSync(pid_file) && readFileSync(pid_file, "utf8") !== "",
    ready_seconds_max: 60,
    stop_seconds_max: 60,
  };
}

const SERVE = `require("node:fs").writeFileSync(process.env.PID_FILE, String(process.pid)); setInterval(() => {}, 1000);`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; looks < 600; looks += 1) {
    if (condition()) return;
    await delay(100);
  }
  throw new Error("It never came true.");
}

describe("startServer", () => {
  it("answers once the server is ready and stops it in order", async () => {
    const options = place();
    const polite = `process.on("SIGTERM", () => { console.log("bye"); process.exit(0); }); ${SERVE}`;
    const running = await startServer(server(options.data_directory, polite), options);
    const pid = Number(readFileSync(join(options.data_directory, "pid"), "utf8"));
    expect(isAlive(pid)).toBe(true);
    await running.stop();
    await running.stop();
    expect(isAlive(pid)).toBe(false);
    expect(await running.ended).toBe(0);
    expect(readFileSync(options.log_file, "utf8")).toBe("bye\n");
  });

  it("ends by force one that does not obey", async () => {
    const options = place();
    const stubborn = `process.on("SIGTERM", () => {}); ${SERVE}`;
    const running = await startServer(
      { ...server(options.data_directory, stubborn), stop_seconds_max: 0.2 },
      options,
    );
    const pid = Number(readFileSync(join(options.data_directory, "pid"), "utf8"));
    await running.stop();
    await until(() => !isAlive(pid));
  });

  it("says what one said that ends before it is ready, and where its log is", async () => {
    const options = place();
    const failing = server(options.data_directory, `console.error("no memory left"); process.exit(7);`);
    await expect(startServer(failing, options)).rejects.toThrow(
      `Test server ended before it was ready (exit 7). It said: no memory left See ${options.log_file}`,
    );
  });

  it("gives up on one that never gets ready, and leaves nothing running", async () => {
    const options = place();
    const never = {
      ...server(options.data_directory, SERVE),
      isReady: async () => false,
      ready_seconds_max: 2,
    };
    await expect(startServer(never, options)).rejects.toThrow("Test server was not ready within 2 s");
    const pid_file = join(options.data_directory, "pid");
    if (existsSync(pid_file)) await until(() => !isAlive(Number(readFileSync(pid_file, "utf8"))));
  });

  it("ends the server when the process that started it is killed", async () => {
    const options = place();
    const script = `
      import { startServer } from ${JSON.stringify(new URL("start-server.ts", import.meta.url).href)};
      import { existsSync } from "node:fs";
      const pid_file = ${JSON.stringify(join(options.data_directory, "pid"))};
      await startServer({
        title: "x", command: process.execPath, arguments: ["-e", ${JSON.stringify(SERVE)}],
        environment: { PID_FILE: pid_file }, isReady: async () => existsSync(pid_file),
        ready_seconds_max: 60, stop_seconds_max: 60,
      }, ${JSON.stringify(options)});
      console.log("ready");
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(starter.stdout, "data");
    const pid = Number(readFileSync(join(options.data_directory, "pid"), "utf8"));
    expect(isAlive(pid)).toBe(true);
    starter.kill("SIGKILL");
    await until(() => !isAlive(pid));
  });
});
