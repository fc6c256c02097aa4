import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { bubblewrapArguments } from "#lib/sandbox/bubblewrap-arguments.ts";
import { commandScript } from "#lib/sandbox/command-script.ts";
import type { SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import { toolPath } from "#lib/sandbox/tool-path.ts";

const HOME = "/home/sandbox";
const TREE = "/workspace";

export interface Bubblewrap {
  /** Absolute path of `bwrap`. */
  file: string;
  /** 0.8 and up: no nested user namespaces, sized tmpfs. */
  modern: boolean;
}

/**
 * Namespaces of its own for processes, network, ipc and users; of the file system only the system's
 * programs (read-only), the tree and a private /tmp and home. The kernel ends all of it with `bwrap`,
 * and `bwrap` with the worker. https://github.com/containers/bubblewrap
 */
export function bubblewrapBackend(bubblewrap: Bubblewrap): SandboxBackend {
  return {
    name: "bubblewrap",
    isolation: "full",
    async launch({ command, tree, scratch, profile }) {
      const directories = await prepareScratch(scratch);
      const path = await toolPath(profile.environment.PATH);
      return {
        file: bubblewrap.file,
        args: [
          ...bubblewrapArguments(
            { ...directories, tree, tree_inside: TREE, home_inside: HOME, path },
            bubblewrap,
          ),
          "--",
          ...commandScript(command, profile),
        ],
        environment: { ...profile.environment, PATH: path.join(delimiter), HOME, TMPDIR: "/tmp" },
        cwd: "/",
        tree_inside: TREE,
        own_generations: 2,
        marker: null,
      };
    },
  };
}

async function prepareScratch(scratch: string) {
  const directories = {
    home: join(scratch, "home"),
    temporary: join(scratch, "tmp"),
    accounts: join(scratch, "etc"),
  };
  await Promise.all(Object.values(directories).map((directory) => mkdir(directory, { recursive: true })));
  const write = (name: string, text: string) => writeFile(join(directories.accounts, name), text);
  await write("passwd", `root:x:0:0:root:/root:/bin/sh\nsandbox:x:1000:1000:sandbox:${HOME}:/bin/sh\n`);
  await write("group", "root:x:0:\nsandbox:x:1000:\n");
  await write("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n");
  return directories;
}
