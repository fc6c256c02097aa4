import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { type CommandResult, runCommand } from "#lib/sandbox/run-command.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import { withWorkspace } from "#lib/sandbox/with-workspace.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { needing, underEachBackend } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { isHere } from "#test/tools.ts";

const MIB = 1024 * 1024;

const strongest = await strongestBackend();
const with_bubblewrap = await needing("bubblewrap");
const with_exchange = await needing((await isHere("an x64 machine")) ? "perl" : "an x64 machine");

async function run(
  backend: SandboxBackend,
  command: string,
  limits: Partial<SandboxProfile> = {},
  files: Record<string, string> = {},
): Promise<CommandResult> {
  const profile = generousProfile(limits);
  return withWorkspace({ profile, backend }, async (workspace) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(workspace.tree, name), text);
    return runCommand({ ...workspace, command, profile, signal: new AbortController().signal, backend });
  });
}

/** Living processes anywhere on the machine whose command line contains `text`. */
function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text);
      } catch {
        return false;
      }
    });
}

/** A sleep that only one test starts: its seconds are its name. */
function uniqueSleep(): string {
  return `9${Math.floor(Math.random() * 1e9)}`;
}

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !condition(); round++) await delay(20);
  expect(condition()).toBe(true);
}

const burn = (ms: number) => `node -e "const e=process.cpuUsage;while(e().user+e().system<${ms}000);"`;
/** Holds memory; with `together`, until so many of its kind do, and a moment more. */
const hold = (mib: number, together = 1000) =>
  `node -e "const f=require('fs'),b=Buffer.alloc(${mib}*1048576,1);f.writeFileSync('held-'+process.pid,'');const t=setInterval(()=>{if(f.readdirSync('.').length>=${together}){clearInterval(t);setTimeout(()=>b.length,1000)}},20)"`;
await underEachBackend(
  (name) => `a command under the ${name} backend`,
  (backend) => {
    it("gives exit code, both streams and what it used", async () => {
      const result = await run(backend, "echo out; echo err >&2; exit 3");
      expect(result).toMatchObject({
        exit_code: 3,
        limit: null,
        backend: backend.name,
        isolation: backend.isolation,
      });
      expect(result.stdout.toString()).toBe("out\n");
      expect(result.stderr.toString()).toBe("err\n");
      expect(result.log.length).toBe(8);
      expect(result.usage.output_bytes).toBe(8);
      expect(result.usage.processes_peak).not.toBeNull();
    });

    it("runs in the tree, which it may write, with a home and a temporary directory", async () => {
      const result = await run(
        backend,
        'cat hello.txt && echo made > made.txt && test -w "$HOME" && test -w "$TMPDIR" && cat made.txt',
        {},
        { "hello.txt": "hello\n" },
      );
      expect(result.stdout.toString()).toBe("hello\nmade\n");
    });

    it("finds the worker's own node, and npm", async () => {
      const result = await run(backend, "node -p process.version && npm --version");
      expect(result.stdout.toString()).toMatch(new RegExp(`^${process.version}\n\\d+\\.`));
      expect(result.exit_code).toBe(0);
    });

    it("sees only the profile's environment", async () => {
      const result = await run(backend, "env", { environment: { GREETING: "hi", PATH: "/usr/bin:/bin" } });
      const names = result.stdout.toString().match(/^\w+(?==)/gm) ?? [];
      const expected = [
        "GREETING",
        "HOME",
        "OLDPWD",
        "PATH",
        "PWD",
        "SANDBOX_RUN_ID",
        "SHLVL",
        "TMPDIR",
        "_",
        "npm_config_fetch_retries", // for a step without a network
      ];
      expect(names).toContain("GREETING");
      expect(names.filter((name) => !expected.includes(name))).toEqual([]);
    });

    it("is stopped when it takes too long", async () => {
      const result = await run(backend, "sleep 60", { wall_seconds: 0.5 });
      expect(result).toMatchObject({
        exit_code: null,
        limit: { code: "SANDBOX_WALL_TIME", limit: 0.5 },
      });
      expect(result.usage.wall_ms).toBeLessThan(30_000);
    });

    it("is not stopped when it ends in time", async () => {
      expect(await run(backend, "sleep 0.3", { wall_seconds: 40 })).toMatchObject({
        exit_code: 0,
        limit: null,
      });
    });

    it("is stopped when its processes together use too much CPU time", async () => {
      const result = await run(backend, `${burn(1500)} & ${burn(1500)} & wait`, { cpu_seconds: 2 });
      expect(result.limit).toMatchObject({ code: "SANDBOX_CPU_TIME", limit: 2 });
      expect(result.limit?.observed).toBeGreaterThan(2);
    });

    it("counts the CPU time of processes too short-lived to be seen", async () => {
      const result = await run(backend, "while :; do /bin/true; done", { cpu_seconds: 0.7 });
      expect(result.limit?.code).toBe("SANDBOX_CPU_TIME");
    });

    it("is not stopped for CPU time it does not exceed, waiting included", async () => {
      const result = await run(backend, `${burn(400)}; sleep 0.5`, { cpu_seconds: 20 });
      expect(result).toMatchObject({ exit_code: 0, limit: null });
      expect(result.usage.cpu_ms).toBeGreaterThan(200);
    });

    it("is stopped when it prints a byte too many", async () => {
      const result = await run(backend, "head -c 10001 /dev/zero; sleep 60", { output_bytes_max: 10_000 });
      expect(result.limit).toMatchObject({ code: "SANDBOX_OUTPUT", limit: 10_000, observed: 10_001 });
      expect(result.log.length).toBe(10_000);
    });

    it("may print exactly as much as allowed", async () => {
      const result = await run(backend, "head -c 6000 /dev/zero; head -c 4000 /dev/zero >&2", {
        output_bytes_max: 10_000,
      });
      expect(result).toMatchObject({ exit_code: 0, limit: null, usage: { output_bytes: 10_000 } });
    });

    it("is stopped when it runs too many processes at once", async () => {
      const result = await run(backend, "for i in 1 2 3 4 5 6 7 8; do sleep 50 & done; wait", {
        processes_max: 8,
      });
      expect(result.limit).toMatchObject({ code: "SANDBOX_PROCESSES", limit: 8, observed: 9 });
    });

    it("may run exactly as many processes at once as allowed", async () => {
      const result = await run(backend, "for i in 1 2 3 4 5 6 7; do sleep 5 & done; wait", {
        processes_max: 8,
      });
      expect(result).toMatchObject({ exit_code: 0, limit: null, usage: { processes_peak: 8 } });
    });

    it("cannot fork without end", async () => {
      const name = `bomb${uniqueSleep()}.sh`;
      const result = await run(
        backend,
        `sh ./${name}`,
        { processes_max: 60 },
        { [name]: `sh ./${name} & sh ./${name} & sleep 30; wait\n` }, // stays, to be seen however seldom it is looked for
      );
      expect(result.limit?.code).toBe("SANDBOX_PROCESSES");
      expect(processesWith(name)).toEqual([]);
    });

    it("is stopped when its processes together hold too much memory", async () => {
      const result = await run(backend, `${hold(150)} & ${hold(150)} & wait; sleep 5`, {
        memory_bytes_max: 250 * MIB,
      });
      expect(result.limit).toMatchObject({ code: "SANDBOX_MEMORY", limit: 250 * MIB });
      expect(result.limit?.observed).toBeGreaterThan(250 * MIB);
    });

    it("may hold memory below the limit, and shared pages count once", async () => {
      const result = await run(backend, `${hold(120, 2)} & ${hold(120, 2)} & wait`, {
        memory_bytes_max: 450 * MIB,
      });
      expect(result).toMatchObject({ exit_code: 0, limit: null });
      expect(result.usage.memory_bytes_peak).toBeGreaterThan(240 * MIB);
    });

    it("cannot fake a limit by its exit code, by a signal or by what it prints", async () => {
      const told = await run(backend, "echo SANDBOX_MEMORY: Out of memory; exit 137");
      expect(told).toMatchObject({ exit_code: 137, limit: null });
      const killed = await run(backend, "kill -XCPU $$");
      expect(killed.limit).toBeNull();
      expect(killed.exit_code).not.toBe(0);
    });

    with_exchange.it(
      "learns nothing of the host by exchanging a directory with a link to the host",
      async () => {
        const host = temporaryDirectory("host");
        const large = join(host, "name-of-a-host-file");
        writeFileSync(large, Buffer.alloc(5 * MIB));
        for (let index = 0; index < 1000; index++) writeFileSync(join(host, `host-file-${index}`), "");
        const now = () => utimesSync(large, new Date(), new Date());
        const changing = setInterval(now, 20); // only files changed during the command are measured
        // renameat2(2) with RENAME_EXCHANGE, for as long as several surveys take.
        const exchange =
          'my $end = time + 6; while (time < $end) { for my $i (1..100) { my ($d, $l) = ("d$i", "l$i"); $n++ if syscall(316, -100, $d, -100, $l, 2) == 0 } } print $n';
        try {
          const result = await run(
            backend,
            `for i in $(seq 100); do mkdir d$i && ln -s ${host} l$i; done; perl -e '${exchange}'`,
            { file_bytes_max: MIB, inodes_max: 500, disk_bytes_max: 4 * MIB },
          );
          expect(Number(result.stdout)).toBeGreaterThan(1000);
          expect(result).toMatchObject({ exit_code: 0, limit: null });
          expect(result.usage.file_bytes_peak).toBeLessThan(MIB);
          expect(result.usage.inodes_peak).toBeLessThan(300);
          expect(result.usage.disk_bytes_peak).toBeLessThan(4 * MIB);
          expect(JSON.stringify(result)).not.toContain("host-file");
        } finally {
          clearInterval(changing);
        }
      },
    );

    it("leaves no detached process behind, whatever that holds open", async () => {
      const seconds = uniqueSleep();
      const result = await run(backend, `(setsid sleep ${seconds} &) ; exit 0`);
      expect(result).toMatchObject({ exit_code: 0, limit: null });
      expect(processesWith(seconds)).toEqual([]);
    });

    it("dies with all its descendants when aborted", async () => {
      const seconds = uniqueSleep();
      const controller = new AbortController();
      const profile = generousProfile();
      const command = `setsid sh -c 'sleep ${seconds}; :' & sleep ${seconds}; :`;
      const running = withWorkspace({ profile, backend }, (workspace) =>
        runCommand({ ...workspace, command, profile, signal: controller.signal }),
      );
      const settled = running.catch((error) => error);
      await until(() => processesWith(seconds).length >= 2);
      controller.abort(new Error("lease lost"));
      expect(await settled).toMatchObject({ message: "lease lost" });
      expect(processesWith(seconds)).toEqual([]);
    });

    it("dies with all its descendants when the worker is killed", async () => {
      const seconds = uniqueSleep();
      const worker = spawn(
        process.execPath,
        [join(import.meta.dirname, "../../test/fakes/sandbox-worker.ts"), backend.name, seconds],
        { stdio: ["ignore", "ignore", "inherit"] },
      );
      await until(() => processesWith(`sleep\0${seconds}`).length === 2);
      worker.kill("SIGKILL");
      await once(worker, "exit");
      await until(() => processesWith(seconds).length === 0);
    });

    it("reports a sandbox that does not start as unavailable, not as a failed command", async () => {
      const broken: SandboxBackend = {
        ...backend,
        launch: async (order) => ({ ...(await backend.launch(order)), file: "/nonexistent/program" }),
      };
      await expect(run(broken, "true")).rejects.toThrow(SandboxUnavailable);
      const failing: SandboxBackend = {
        ...backend,
        launch: async (order) => ({ ...(await backend.launch(order)), file: "/bin/false" }),
      };
      await expect(run(failing, "true")).rejects.toThrow(SandboxUnavailable);
    });
  },
);

it("is never silently run with less isolation than the profile demands", async () => {
  const error = await run(processBackend, "touch ran", { isolation_minimum: "full" }).catch((e) => e);
  expect(error).toBeInstanceOf(SandboxUnavailable);
  expect(error).toMatchObject({ code: "SANDBOX_UNAVAILABLE" });
});

with_bubblewrap.describe("the bubblewrap backend", () => {
  it("hides the machine's files, processes and network", async () => {
    const result = await run(
      strongest,
      `ls -a /root ${import.meta.dirname} /etc/shadow; ls /proc | grep -c '^[0-9]'; cat /proc/net/dev`,
    );
    expect(result.stderr.toString().match(/No such file/g)?.length).toBe(3);
    expect(Number(/^\d+$/m.exec(result.stdout.toString())?.[0])).toBeLessThan(8);
    expect(result.stdout.toString().match(/^ *[a-z]\w*:/gm)).toEqual(["    lo:"]);
  });

  it("names the limit that refused a command more, also when it keeps within it and passes", async () => {
    const limits = { disk_bytes_max: 8 * 1024 * 1024, file_bytes_max: 1024 * 1024 * 1024 };
    const command = "head -c 100000000 /dev/zero > big 2>/dev/null; sleep 0.5; rm big; true";
    const { exit_code, limit, refused } = await run(strongest, command, limits);
    expect({ exit_code, limit, refused }).toMatchObject({
      exit_code: 0,
      limit: null,
      refused: { code: "SANDBOX_DISK", limit: limits.disk_bytes_max },
    });
  });

  it("lets nothing but the tree, home and temporary files be written", async () => {
    const result = await run(
      strongest,
      "for d in / /usr /etc /dev /var /home; do touch $d/x 2>/dev/null && echo wrote $d; done; touch /tmp/x ./x ~/x && echo fine",
    );
    expect(result.stdout.toString()).toBe("fine\n");
  });

  it("lets a test talk to itself over loopback", async () => {
    const result = await run(
      strongest,
      `node -e "require('http').createServer((q,r)=>r.end('ok')).listen(0,'127.0.0.1',function(){fetch('http://127.0.0.1:'+this.address().port).then(r=>r.text()).then(t=>{console.log(t);process.exit()})})"`,
    );
    expect(result.stdout.toString()).toBe("ok\n");
    expect(existsSync("/home/sandbox")).toBe(false);
  });
});
