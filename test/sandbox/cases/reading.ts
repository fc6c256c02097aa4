import { javascript, type SandboxCase } from "../sandbox-case.ts";

/** Reading what was not shown: blocked, and nothing of it printed. */
export const READING: SandboxCase[] = [
  {
    name: "a file by its absolute path",
    isolation: "full",
    command: ({ secret_file }) => `cat ${secret_file}`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a file by climbing out of the tree",
    isolation: "full",
    command: ({ secret_file }) => `cat ../../../../../../../..${secret_file}`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a file through a link in the tree",
    isolation: "full",
    command: ({ secret_file }) => `ln -s ${secret_file} innocent && cat innocent`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a file through the root of other processes",
    isolation: "full",
    command: ({ secret_file }) => `cat /proc/1/root${secret_file} || cat /proc/self/root${secret_file}`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a file through the working directory of other processes",
    isolation: "full",
    command: ({ secret_file }) =>
      `for p in /proc/[0-9]*; do cat $p/cwd${secret_file} && exit 0; ls $p/fd/; done; exit 1`,
    code: "COMMAND_FAILED",
  },
  {
    name: "the worker's environment in its own",
    isolation: "any",
    command: "env | grep -i -e secret -e aws_ -e token",
    code: "COMMAND_FAILED",
  },
  {
    name: "the environment of every process it can see",
    isolation: "full",
    command: "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -i -e secret -e aws_",
    code: "COMMAND_FAILED",
  },
  {
    name: "the worker's environment by its pid",
    isolation: "full",
    command: ({ worker_pid }) => `cat /proc/${worker_pid}/environ`,
    code: "COMMAND_FAILED",
  },
  {
    name: "the command lines of the machine's processes",
    isolation: "full",
    command: "test $(ls /proc | grep -c '^[0-9]') -lt 10",
    code: "PASSED",
  },
  {
    name: "role credentials in files",
    isolation: "full",
    command:
      "cat ~/.aws/credentials ~/.npmrc ~/.netrc ~/.ssh/id_rsa ~/.config/gh/hosts.yml /root/.aws/credentials",
    code: "COMMAND_FAILED",
  },
  {
    name: "password hashes",
    isolation: "full",
    command: "cat /etc/shadow || cat /etc/gshadow || ls /etc/sudoers.d",
    code: "COMMAND_FAILED",
  },
  {
    name: "kernel memory and the kernel's log",
    isolation: "full",
    command: "head -c 1 /proc/kcore || head -c 1 /dev/mem || head -c 1 /proc/kmsg || head -c 1 /dev/kmsg",
    code: "COMMAND_FAILED",
  },
  {
    name: "block devices",
    isolation: "full",
    command: "head -c 1 /dev/vda || head -c 1 /dev/sda || ls /dev/disk",
    code: "COMMAND_FAILED",
  },
  {
    name: "the source of the worker",
    isolation: "full",
    command: `ls ${import.meta.dirname}`,
    code: "COMMAND_FAILED",
  },
  {
    name: "a hidden file",
    isolation: "full",
    limits: { filesystem: { read_only: [], read_write: [], hidden: ["/usr/bin/env"] } },
    command: "cat /usr/bin/env; sleep 30",
    code: "SANDBOX_PATH_DENIED",
  },
  {
    name: "a hidden directory, and is too quick to be watched",
    isolation: "full",
    limits: { filesystem: { read_only: [], read_write: [], hidden: ["/usr/share"] } },
    command: "ls /usr/share",
    code: "SANDBOX_PATH_DENIED",
    prints: "",
  },
  {
    name: "nothing of a hidden path",
    isolation: "full",
    limits: { filesystem: { read_only: [], read_write: [], hidden: ["/usr/share", "/usr/bin/env"] } },
    command: "echo honest",
    code: "PASSED",
    prints: "honest\n",
  },
  {
    name: "a path that the profile shows",
    isolation: "full",
    limits: ({ directory }) => ({ filesystem: { read_only: [directory], read_write: [], hidden: [] } }),
    command: ({ directory }) => `cat ${directory}/shown.txt && ! touch ${directory}/x 2>/dev/null`,
    code: "PASSED",
    prints: "shown",
  },
  {
    name: "the memory of another process",
    isolation: "full",
    command: ({ worker_pid }) => javascript(`require('fs').readFileSync('/proc/${worker_pid}/mem')`),
    code: "COMMAND_FAILED",
  },
];
