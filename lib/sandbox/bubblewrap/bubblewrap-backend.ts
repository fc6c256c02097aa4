import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { systemCallFilter } from "#lib/sandbox/bubblewrap/system-call-filter.ts";
import { commandScript } from "#lib/sandbox/process/command-script.ts";
import {
  FIRST_FILE_DESCRIPTOR,
  type LaunchOrder,
  type SandboxBackend,
} from "#lib/sandbox/process/sandbox-backend.ts";
import { toolPath } from "#lib/sandbox/process/tool-path.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import { openSealedVolume } from "#lib/sandbox/volume/sealed-volume.ts";

const HOME = "/home/sandbox";
const TREE = "/workspace";
const DECOYS = "decoys";
const ACCOUNTS = "etc";
const NOTHING = "nothing";

export interface Bubblewrap {
  /** Absolute path of `bwrap`. */
  file: string;
  /** True for version 0.8 and later, which can forbid nested user namespaces. */
  modern: boolean;
}

/**
 * Runs a command in namespaces of its own for processes, network, IPC and users. It sees only the system's programs
 * (read-only) and a volume of limited size for the tree, /tmp, /dev/shm and the home. The kernel ends its processes
 * when `bwrap` ends, and `bwrap` when the worker ends.
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
        mkdirSync(join(scratch, NOTHING));
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
          ...commandScript(order.command, profile),
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
        own_process_levels: 2,
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
    throw new SandboxUnavailable("the bubblewrap backend needs a volume that it opened itself");
  }
  const { mounted_at, user, mount } = volume.namespace;
  const scratch = join(mounted_at, "scratch");
  return {
    options: [`--user=${user}`, `--mount=${mount}`, "--preserve-credentials"],
    tree: join(mounted_at, "tree"),
    home: join(scratch, "home"),
    temporary: join(scratch, "tmp"),
    shared_memory: join(scratch, "shm"),
    nothing: join(scratch, NOTHING),
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
    else await writeFile(path, "\n"); // the access time of an empty file does not change
    decoys.push({ name, hides });
  }
  return decoys;
}

/** Creates the mount points of programs below /tmp, which is on the volume; elsewhere `bwrap` creates them. */
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

interface BubblewrapMounts {
  tree: string;
  tree_inside: string;
  home: string;
  home_inside: string;
  temporary: string;
  /** Directory holding passwd, group, hosts and resolv.conf, as the worker sees it. */
  accounts: string;
  shared_memory: string;
  /** An empty directory. */
  nothing: string;
  /** Directories of the sandbox's PATH. */
  path: string[];
  /** The profile's paths of the machine. */
  read_only: string[];
  read_write: string[];
  decoys: { path: string; hides: string }[];
}

const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/** The parts of /etc that programs need to start; the rest may hold secrets. */
const ETC = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/java",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/mime.types",
  "/etc/nsswitch.conf",
  "/etc/pki/tls/certs",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/etc/timezone",
];

/** The arguments of `bwrap`, up to the program. */
interface BubblewrapCall {
  args: string[];
  /** Paths to be open for reading, from `first_descriptor` on: copied, because a mount for each takes longer. */
  files: string[];
}

/** Deny by default: paths that are not listed do not exist in the sandbox. */
function bubblewrapArguments(
  mounts: BubblewrapMounts,
  { modern, first_descriptor }: Pick<Bubblewrap, "modern"> & { first_descriptor: number },
): BubblewrapCall {
  const readable = ETC.filter(isReadable);
  const directories = readable.filter((path) => statSync(path).isDirectory());
  const copies = [
    ...readable.filter((path) => !directories.includes(path)).map((path) => ({ path, to: path })),
    ...["passwd", "group", "hosts", "resolv.conf"].map((name) => ({
      path: join(mounts.accounts, name),
      to: `/etc/${name}`,
    })),
  ];
  const args = [
    ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"],
    ...["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--uid", "1000", "--gid", "1000", "--hostname", "sandbox"],
    ...(modern ? ["--disable-userns"] : []),
    ...SYSTEM.flatMap(systemMount),
    ...directories.flatMap((path) => ["--ro-bind", path, path]),
    ...copies.flatMap(({ to }, index) => ["--file", String(first_descriptor + index), to]),
    // Read-only: to the kernel's settings in /proc/sys a worker that is root stays root in any namespace.
    ...["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"],
    // `bwrap` itself, which has the command's user id: its memory, environment and descriptors are not for the command.
    ...["--ro-bind", mounts.nothing, "/proc/1"],
    ...["--bind", mounts.shared_memory, "/dev/shm", "--remount-ro", "/dev"],
    ...["--bind", mounts.temporary, "/tmp", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"],
    // After /tmp: the worker, and so its Node.js, may itself live below there.
    ...mounts.path.flatMap(toolMounts).flatMap((path) => ["--ro-bind-try", path, path]),
    ...mounts.read_only.flatMap((path) => ["--ro-bind-try", path, path]),
    ...mounts.read_write.flatMap((path) => ["--bind-try", path, path]),
    // Writable, because a read-only mount does not record accesses.
    ...mounts.decoys.flatMap(({ path, hides }) => ["--bind", path, hides]),
    ...["--bind", mounts.home, mounts.home_inside],
    ...["--bind", mounts.tree, mounts.tree_inside, "--chdir", mounts.tree_inside, "--remount-ro", "/"],
  ];
  return { args, files: copies.map(({ path }) => path) };
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** /bin is a link to /usr/bin on most systems and a directory on some. */
function systemMount(path: string): string[] {
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return ["--symlink", readlinkSync(path), path];
  return ["--ro-bind", path, path];
}

/** A directory of programs outside the system's directories, and the `lib` directory beside it, which holds npm. */
function toolMounts(directory: string): string[] {
  if (SYSTEM.some((system) => directory === system || directory.startsWith(`${system}/`))) return [];
  if (basename(directory) !== "bin") return [directory];
  return [directory, join(dirname(directory), "lib")];
}
