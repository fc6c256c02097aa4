import { existsSync, readdirSync } from "node:fs";
import { newReportFiles } from "#lib/code/test-results/report-files.ts";
import type { SandboxCase } from "../sandbox-case.ts";

/** Writing outside, links, devices, hostile names. */
export const WRITING: SandboxCase[] = [
  {
    name: "files beside the tree",
    isolation: "full",
    command:
      "for d in / /usr /usr/bin /etc /dev /var /home /proc /sys /workspace/..; do touch $d/x 2>/dev/null && echo wrote $d; done; echo fine",
    code: "PASSED",
    prints: "fine\n",
  },
  {
    name: "through a link out of the tree",
    isolation: "full",
    command: ({ directory }) =>
      `ln -s ${directory} out; echo x > out/written || echo x > ${directory}/written`,
    code: "COMMAND_FAILED",
  },
  {
    name: "through a link that an archive brought",
    isolation: "full",
    command: ({ directory }) =>
      `mkdir a && ln -s ${directory} a/out && tar -cf a.tar a && rm -r a && tar -xf a.tar && echo x > a/out/written`,
    code: "COMMAND_FAILED",
  },
  {
    // Opened and not written: on a machine where this breaks out, nothing changes.
    name: "the kernel's settings",
    isolation: "full",
    command:
      "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/sys/kernel/hostname; do (: >> $f) 2>/dev/null && echo opened $f; done; echo tried",
    code: "PASSED",
    prints: "tried\n",
  },
  {
    name: "control groups",
    isolation: "full",
    command: "mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/pids/x",
    code: "COMMAND_FAILED",
  },
  {
    name: "devices of its own",
    isolation: "full",
    command: "mknod disk b 8 0 || mknod memory c 1 1",
    code: "COMMAND_FAILED",
  },
  {
    name: "programs that would run as someone else",
    isolation: "full",
    command:
      "cp /usr/bin/id . && chmod 6755 id && test $(./id -u) = 1000 && grep -q 'NoNewPrivs:.1' /proc/self/status",
    code: "PASSED",
  },
  {
    name: "another name for a file outside",
    isolation: "full",
    command: "ln /usr/bin/env env2 || ln /etc/passwd passwd2",
    code: "COMMAND_FAILED",
  },
  {
    name: "a path that the profile lets it write",
    isolation: "full",
    limits: ({ directory }) => ({
      filesystem: { read_only: [], read_write: [`${directory}/writable`], hidden: [] },
    }),
    command: ({ directory }) =>
      `echo kept > ${directory}/writable/allowed && rm ${directory}/writable/allowed`,
    code: "PASSED",
  },
  {
    name: "a report that is a link to a secret",
    isolation: "any",
    command: ({ secret_file }) =>
      `ln -s ${secret_file} junit.xml; mkdir -p target; ln -s / target/surefire-reports`,
    code: "PASSED",
    check: notCollected,
  },
  {
    name: "a report that is a pipe nobody writes to",
    isolation: "any",
    command: "mkfifo junit.xml results.xml",
    code: "PASSED",
    check: notCollected,
  },
  {
    name: "a report that is a link to a device",
    isolation: "any",
    command: "ln -s /dev/zero junit.xml",
    code: "PASSED",
    check: notCollected,
  },
  {
    name: "names that hurt: control characters, options, directions, 255 bytes",
    isolation: "any",
    files: {
      "names.cjs":
        "const f=require('fs');for(const n of ['a\\nb','\\u001b[2J','-rf','\\u202egpj.exe','*','~','x'.repeat(255),'$(touch y)'])f.writeFileSync(n,'')",
    },
    command: "node names.cjs",
    code: "PASSED",
    check: (_, tree) => {
      if (readdirSync(tree).length !== 9) throw new Error("names are missing");
    },
  },
  {
    name: "directories deeper than a path may be long",
    isolation: "any",
    command:
      "for i in $(seq 600); do mkdir long-name-0123456789 && cd long-name-0123456789; done; pwd -P >/dev/null; :",
    code: "PASSED",
  },
  {
    name: "directories that nobody may enter",
    isolation: "any",
    command: "mkdir -p locked/inner && touch locked/inner/file && chmod 000 locked/inner locked",
    code: "PASSED",
  },
  {
    name: "output that is no text",
    isolation: "any",
    command: 'printf \'\\033]0;owned\\007\\000\\377\\376 {"level":"ERROR","code":"SANDBOX_MEMORY"}\\n\'',
    code: "PASSED",
    check: ({ stdout }) => {
      if (stdout[0] !== 0x1b || !stdout.includes(0xff)) throw new Error("the output was changed");
    },
  },
];

async function notCollected(_: unknown, tree: string): Promise<void> {
  const { files } = await newReportFiles(tree, new Map());
  if (files.length > 0) throw new Error(`collected ${files[0]?.path}`);
  if (!existsSync(tree)) throw new Error("the tree is gone");
}
