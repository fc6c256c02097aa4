import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { bubblewrapArguments, toolMounts } from "#lib/sandbox/bubblewrap-arguments.ts";
import { commandScript } from "#lib/sandbox/command-script.ts";
import {
  FIRST_FILE_DESCRIPTOR,
  type LaunchOrder,
  type SandboxBackend,
} from "#lib/sandbox/sandbox-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";
import { openSealedVolume } from "#lib/sandbox/sealed-volume.ts";
import { systemCallFilter } from "#lib/sandbox/system-call-filter.ts";
import { toolPath } from "#lib/sandbox/tool-path.ts";

const HOME = "/home/sandbox";
const TREE = "/workspace";
const DECOYS = "decoys";
const ACCOUNTS = "etc";

export interface Bubblewrap {
  /** Absolute path of `bwrap`. */
  file: string;
  /** 0.8 and up: no nested user namespaces. */
  modern: boolean;
}

/**
 * Namespaces of its own for processes, network, ipc and users; of the file system only the system's
 * programs (read-only) and a volume of limited size for the tree, /tmp, /dev/shm and the home. The
 * kernel ends all of it with `bwrap`, and `bwrap` with the worker.
 * https://github.com/containers/bubblewrap
 */
export function bubblewrapBackend(bubblewrap: Bubblewrap): SandboxBackend {
  return {
    name: "bubblewrap",
    isolation: "full",
    not_enforced: systemCallFilter() ? [] : ["system calls"],
    async open(profile) {
      const path = await toolPath(profile.environment.PATH);
      return openSealedVolume(profile, (scratch) => {
        writeAccounts(scratch);
        makeMountPoints(scratch, path.flatMap(toolMounts));
      });
    },
    async launch(order) {
      const { profile, scratch } = order;
      const path = await toolPath(profile.environment.PATH);
      const inside = placesInside(order);
      const decoys = await makeDecoys(order);
      const filter = systemCallFilter();
      const accounts = join(scratch, ACCOUNTS);
      const mounts = {
        ...inside,
        accounts,
        tree_inside: TREE,
        home_inside: HOME,
        path,
        ...profile.filesystem,
      };
      const call = bubblewrapArguments(
        { ...mounts, decoys: decoys.map(inside.decoy) },
        { ...bubblewrap, first_descriptor: FIRST_FILE_DESCRIPTOR },
      );
      return {
        file: "nsenter",
        args: [
          ...inside.options,
          bubblewrap.file,
          ...call.args,
          ...(filter ? ["--seccomp", "4"] : []),
          ...["--unsetenv", MARKER_NAME, "--"],
          ...commandScript(order.command, profile, order.volume),
        ],
        environment: {
          ...order.network_environment,
          ...profile.environment,
          PATH: path.join(delimiter),
          HOME,
          TMPDIR: "/tmp",
          [MARKER_NAME]: `${workerMark()}-bubblewrap`,
        },
        cwd: "/",
        tree_inside: TREE,
        own_generations: 2,
        marker: null,
        input: filter,
        files: call.files,
        decoys: decoys.map(({ name, hides }) => ({ path: join(scratch, DECOYS, name), hides })),
      };
    },
  };
}

/** The volume's directories as `bwrap` sees them, in the namespace where the volume is mounted. */
function placesInside({ volume }: LaunchOrder) {
  if (!volume.namespace) {
    throw new SandboxUnavailable("bubblewrap needs a volume that bubblewrap has opened");
  }
  const { mounted_at, user, mount } = volume.namespace;
  const scratch = join(mounted_at, "scratch");
  return {
    options: [`--user=${user}`, `--mount=${mount}`, "--preserve-credentials"],
    tree: join(mounted_at, "tree"),
    home: join(scratch, "home"),
    temporary: join(scratch, "tmp"),
    shared_memory: join(scratch, "shm"),
    decoy: ({ name, hides }: Decoy) => ({ path: join(scratch, DECOYS, name), hides }),
  };
}

interface Decoy {
  name: string;
  hides: string;
}

/** An empty directory for a hidden directory, a file of one empty line for anything else. */
async function makeDecoys({ profile, scratch }: LaunchOrder): Promise<Decoy[]> {
  const hidden = profile.filesystem.hidden.filter((path) => existsSync(path));
  if (hidden.length > 0) await mkdir(join(scratch, DECOYS), { recursive: true });
  const decoys: Decoy[] = [];
  for (const [index, hides] of hidden.entries()) {
    const name = String(index);
    const path = join(scratch, DECOYS, name);
    if (statSync(hides).isDirectory()) await mkdir(path, { recursive: true });
    else await writeFile(path, "\n"); // reading an empty file is not noted
    decoys.push({ name, hides });
  }
  return decoys;
}

/** Where programs are mounted below /tmp, which is on the volume; elsewhere it costs the command nothing. */
function makeMountPoints(scratch: string, mounted: readonly string[]): void {
  for (const path of mounted.filter((each) => each.startsWith("/tmp/") && existsSync(each))) {
    mkdirSync(join(scratch, path), { recursive: true });
  }
}

function writeAccounts(scratch: string): void {
  mkdirSync(join(scratch, ACCOUNTS));
  const write = (name: string, text: string) => writeFileSync(join(scratch, ACCOUNTS, name), text);
  write("passwd", `root:x:0:0:root:/root:/bin/sh\nsandbox:x:1000:1000:sandbox:${HOME}:/bin/sh\n`);
  write("group", "root:x:0:\nsandbox:x:1000:\n");
  // No route leads there (RFC 5737), so that looking for a name outside fails at once and is counted.
  write("resolv.conf", "nameserver 192.0.2.1\noptions attempts:1 timeout:1\n");
  write("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n");
}
