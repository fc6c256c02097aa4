import { readdirSync, readFileSync } from "node:fs";

/** Processor time of a stack since its start, in ms. */
export interface Cpu {
  /** The processes that run the functions and start the stack. */
  functions_ms: number;
  emulators_ms: number;
  /** What they ran: sandboxes and confined computations, with what has ended and been waited for. */
  children_ms: number;
}

/** Ticks of 10 ms: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

interface Process {
  pid: number;
  parent: number;
  command: string;
  own_ms: number;
  waited_ms: number;
}

/** Of a process and all that descend from it, as /proc says it: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function cpuOf(root: number): Cpu {
  const tree = descendants(root, processes());
  const sum: Cpu = { functions_ms: 0, emulators_ms: 0, children_ms: 0 };
  for (const { command, own_ms, waited_ms } of tree) {
    const is_emulator = command.includes("emulators/");
    const is_stack = command.includes("local/start.ts") || command.includes("offline");
    if (is_emulator) sum.emulators_ms += own_ms + waited_ms;
    else if (is_stack) {
      sum.functions_ms += own_ms;
      sum.children_ms += waited_ms;
    } else sum.children_ms += own_ms + waited_ms;
  }
  return sum;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const ticks = (from: number) => Number(fields[from]) + Number(fields[from + 1]);
        return [
          {
            pid: Number(name),
            parent: Number(fields[1]),
            command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " "),
            own_ms: ticks(11) * TICK_MS,
            waited_ms: ticks(13) * TICK_MS,
          },
        ];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

function descendants(root: number, all: readonly Process[]): Process[] {
  const found = all.filter(({ pid }) => pid === root);
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid));
  return found;
}
