import type { Tool } from "#test/tools.ts";
import { javascript, type SandboxCase } from "../sandbox-case.ts";

const caller: Tool = process.arch === "x64" ? "perl" : "an x64 machine";

const refused = (call: string, error: string) =>
  `perl -MErrno -e 'exit(syscall(${call}) == -1 && $!{${error}} ? 1 : 0)'`;
/** Runs a Perl statement on `$p`, the pid of a child that sleeps; it must give true. */
const onChild = (statement: string) =>
  `perl -e 'my $p = fork; if (!$p) { sleep 40; exit } my $done = ${statement}; kill 9, $p; exit($done ? 0 : 1)'`;

/** Survivors, signals to outsiders, namespaces and mounts of its own, calls that namespaces do not cover. */
export const ESCAPING: SandboxCase[] = [
  { name: "a daemon", isolation: "any", command: "(setsid sleep 600 &); exit 0", code: "PASSED" },
  {
    name: "a daemon whose parents are gone, deaf to signals",
    isolation: "any",
    command: "(setsid sh -c 'trap \"\" HUP TERM; (sleep 600; :) & sleep 600; :' &) ; exit 0",
    code: "PASSED",
  },
  {
    name: "a daemon without the sandbox's environment",
    isolation: "full",
    command: "(env -i /usr/bin/setsid /bin/sleep 600 &); exit 0",
    code: "PASSED",
  },
  {
    name: "a daemon that starts itself again and again",
    isolation: "any",
    files: { "again.sh": "(setsid sh ./again.sh &) ; sleep 0.01\n" },
    command: "sh ./again.sh; sleep 0.2",
    code: "PASSED",
  },
  {
    name: "a detached program of Node.js",
    isolation: "any",
    command: javascript(
      "require('child_process').spawn('sleep',['600'],{detached:true,stdio:'ignore'}).unref()",
    ),
    code: "PASSED",
  },
  {
    // The guard: with a pid namespace the shell's pid is small; without one nothing is sent.
    name: "a signal to everybody",
    isolation: "full",
    command: "sleep 30 & test $$ -lt 50 && kill -9 -1; echo alive",
    code: "PASSED",
    prints: "alive\n",
  },
  {
    name: "a signal to the worker",
    isolation: "full",
    command: ({ worker_pid }) => `kill -0 ${worker_pid}`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a priority over others",
    isolation: "full",
    command: "renice -n -5 -p $$",
    code: "COMMAND_FAILED",
  },
  {
    name: "a user namespace of its own",
    isolation: "full",
    command: "unshare --user --map-root-user --mount id",
    code: "COMMAND_FAILED",
  },
  {
    name: "other namespaces of its own",
    isolation: "full",
    command: "unshare --net true || unshare --mount true || unshare --pid --fork true || unshare --uts true",
    code: "COMMAND_FAILED",
  },
  {
    name: "the namespaces of the sandbox's first process",
    isolation: "full",
    command: ({ worker_pid }) => `nsenter -t 1 -m -n true || nsenter -t ${worker_pid} -m true`,
    code: "COMMAND_FAILED",
  },
  {
    name: "mounts of its own",
    isolation: "full",
    command: "mount -t tmpfs x /tmp || mount --bind /usr /tmp || mount -o remount,rw / || umount /tmp",
    code: "COMMAND_FAILED",
  },
  {
    name: "another root",
    isolation: "full",
    command: "chroot . /bin/true || chroot / true",
    code: "COMMAND_FAILED",
  },
  {
    name: "a higher limit",
    isolation: "full",
    command: "ulimit -n 1000000 || ulimit -c unlimited || ulimit -t unlimited",
    code: "COMMAND_FAILED",
  },
  {
    name: "a sandbox within the sandbox",
    isolation: "full",
    command: "bwrap --unshare-user --ro-bind / / true",
    code: "COMMAND_FAILED",
  },
  {
    name: "the files of the sandbox's first process",
    isolation: "full",
    command:
      "cat /proc/1/environ || head -c 1 /proc/1/mem || ls /proc/1/fd/ || ls /proc/1/task/1/fd/ || cat /proc/1/maps || touch /proc/1/x",
    code: "COMMAND_FAILED",
  },
  {
    name: "nothing, and sees no first process",
    isolation: "full",
    command: "ls -A /proc/1; grep -l SANDBOX_RUN_ID /proc/[0-9]*/environ; exit 0",
    code: "PASSED",
    prints: "",
  },
  ...[
    ["a debugger", "101, 16, 1, 0, 0"],
    ["a debugger that does not stop it (PTRACE_SEIZE)", "101, 16902, 1, 0, 0"],
    ["a debugger, by a pid with more bits than the kernel reads", "101, 16, 4294967297, 0, 0"],
    ["reading its memory", "310, 1, 0, 0, 0, 0, 0"],
    ["writing its memory", "311, 1, 0, 0, 0, 0, 0"],
    ["moving its memory", "279, 1, 0, 0, 0, 0, 0"],
    ["its limits", "302, 1, 7, 0, 0"],
  ].map(([name = "", call = ""]) => ({
    name: `the sandbox's first process, by ${name}`,
    isolation: "full" as const,
    needs: caller,
    command: refused(call, "EPERM"),
    code: "COMMAND_FAILED",
  })),
  ...[
    ["a debugger", "syscall(101, 16, $p, 0, 0) == 0"],
    ["reading its memory", "syscall(310, $p, 0, 0, 0, 0, 0) == 0"],
    ["its limits", "syscall(302, $p, 7, 0, 0) == 0"],
  ].map(([name = "", statement = ""]) => ({
    name: `nothing: a child of its own, by ${name}`,
    isolation: "full" as const,
    needs: caller,
    command: onChild(statement),
    code: "PASSED",
  })),
  ...[
    ["shared memory that belongs to no process", "29, 1, 100000, 0"],
    ["files in memory that belong to no file system", "319, 0, 0"],
    ["a kernel keyring", "250, 0, -3, 1"],
    ["io_uring", "425, 1, 0"],
    ["a BPF program", "321, 0, 0, 0"],
    ["a file by its handle", "304, 0, 0, 0"],
    ["open files of another process", "438, 0, 0, 0"],
    ["memory of another process, by its descriptor", "440, 0, 0, 0, 0, 0"],
    ["a comparison of processes in the kernel", "312, 1, 1, 0, 0, 0"],
  ].map(([name = "", call = ""]) => ({
    name,
    isolation: "full" as const,
    needs: caller,
    command: refused(call, "ENOSYS"),
    code: "COMMAND_FAILED",
  })),
];
