import { javascript, type SandboxCase } from "../sandbox-case.ts";

const CASES: Omit<SandboxCase, "isolation" | "code">[] = [
  { name: "/dev/stdout by `>`", command: "echo out > /dev/stdout", prints: "out\n" },
  {
    name: "/dev/stdout by `>>`, several times",
    command: "for i in 1 2; do echo $i >> /dev/stdout; done",
    prints: "1\n2\n",
  },
  { name: "/dev/stderr by tee", command: "echo both | tee /dev/stderr", prints: "both\n" },
  {
    name: "/dev/fd/1 and /proc/self/fd/1",
    command: "echo a > /dev/fd/1; echo b > /proc/self/fd/1",
    prints: "a\nb\n",
  },
  {
    name: "a descriptor of its own on /dev/stdout",
    command: "exec 7> /dev/stdout; echo seven >&7",
    prints: "seven\n",
  },
  {
    name: "/dev/stdout from Node.js",
    command: javascript("require('fs').writeFileSync('/dev/stdout','node')"),
    prints: "node",
  },
  {
    name: "/dev/stdout from a process in the background",
    command: "(sleep 0.2; echo late > /dev/stdout) & wait",
    prints: "late\n",
  },
  { name: "/dev/stdin, which is empty", command: "cat /dev/stdin; echo end", prints: "end\n" },
];

/** The standard streams by their names. */
export const OUTPUT: SandboxCase[] = CASES.map((each) => ({ isolation: "any", code: "PASSED", ...each }));
