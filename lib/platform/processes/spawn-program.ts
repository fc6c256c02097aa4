import { type ChildProcess, type IOType, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";

/**
 * The only place where the platform starts a process of the machine. A child has the descriptors 0, 1 and
 * 2, those that `stdio` gives it, and none of this process's own.
 *
 * Node.js closes its own files when a program is executed. What a native library opened without O_CLOEXEC
 * (LevelDB does), or what this process inherited above the first gap, it hands down silently. Node.js cannot
 * set the flag later, so each such descriptor is replaced in the child by /dev/null.
 * https://man7.org/linux/man-pages/man2/open.2.html (O_CLOEXEC)
 */
export function spawnProgram(
  file: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const stdio = stdioOf(options.stdio);
  const leaking = inheritableDescriptors().filter((descriptor) => isNotGiven(stdio[descriptor]));
  if (leaking.length === 0) return spawn(file, args, { ...options, stdio });
  const nothing = openSync("/dev/null", "r+");
  try {
    for (let at = stdio.length; at <= Math.max(...leaking); at++) stdio.push("ignore");
    for (const descriptor of leaking) stdio[descriptor] = nothing;
    return spawn(file, args, { ...options, stdio });
  } finally {
    closeSync(nothing);
  }
}

type Given = Exclude<NonNullable<SpawnOptions["stdio"]>, IOType>[number];

function stdioOf(stdio: SpawnOptions["stdio"]): Given[] {
  if (Array.isArray(stdio)) return [...stdio];
  return [stdio ?? "pipe", stdio ?? "pipe", stdio ?? "pipe"];
}

/** Only above the standard streams does "ignore" leave what is inherited in its place. */
function isNotGiven(given: Given): boolean {
  return given === undefined || given === null || given === "ignore";
}

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Descriptors of this process above 2 that a program it starts would have, too; none where there is no
 * /proc. https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html
 */
export function inheritableDescriptors(): number[] {
  return listDescriptors().filter((descriptor) => descriptor > 2 && !closesOnExec(descriptor));
}

function listDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch {
    return [];
  }
}

/** True also for a descriptor that is closed already, as the one that listed the others is. */
function closesOnExec(descriptor: number): boolean {
  try {
    const [, flags = "0"] =
      /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return true;
  }
}

const OUTPUT_BYTES_MAX = 1024 * 1024;

/**
 * Runs a short program to its end and gives what it printed, at most one mebibyte of each stream.
 * Throws an Error when it cannot start, takes longer than `timeout_ms`, or ends with anything but 0.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env"> & { timeout_ms?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  const { timeout_ms: timeout, ...others } = options;
  const stdio: SpawnOptions["stdio"] = ["ignore", "pipe", "pipe"];
  const child = spawnProgram(file, args, { ...others, timeout, killSignal: "SIGKILL", stdio });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      printed[name] = (printed[name] + text).slice(0, OUTPUT_BYTES_MAX);
    });
  }
  const [code, signal] = await once(child, "close");
  if (code === 0) return printed;
  const ending = signal === null ? `exit code ${code}` : `signal ${signal}`;
  throw new Error(`${file} ended with ${ending}: ${printed.stderr.trim().slice(0, 500)}`);
}
