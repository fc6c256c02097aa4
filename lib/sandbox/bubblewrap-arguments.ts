import { accessSync, constants, existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Bubblewrap } from "#lib/sandbox/bubblewrap-backend.ts";

export interface BubblewrapMounts {
  tree: string;
  tree_inside: string;
  home: string;
  home_inside: string;
  temporary: string;
  /** Directory holding passwd, group, hosts and resolv.conf, as the worker sees it. */
  accounts: string;
  shared_memory: string;
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

/** What `bwrap` is to be called with, up to the program. */
export interface BubblewrapCall {
  args: string[];
  /** Paths to be open for reading, from `first_descriptor` on: copied, because a mount for each takes longer. */
  files: string[];
}

/** Deny by default: what is not listed is not there. */
export function bubblewrapArguments(
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
    ...["--bind", mounts.shared_memory, "/dev/shm", "--remount-ro", "/dev"],
    ...["--bind", mounts.temporary, "/tmp", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"],
    // After /tmp: the worker, and so its Node.js, may itself live below there.
    ...mounts.path.flatMap(toolMounts).flatMap((path) => ["--ro-bind-try", path, path]),
    ...mounts.read_only.flatMap((path) => ["--ro-bind-try", path, path]),
    ...mounts.read_write.flatMap((path) => ["--bind-try", path, path]),
    // Writable: a read-only mount would not note who read them.
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

/** A directory of programs outside the system's, and the `lib` beside it (npm lives there). */
export function toolMounts(directory: string): string[] {
  if (SYSTEM.some((system) => directory === system || directory.startsWith(`${system}/`))) return [];
  if (basename(directory) !== "bin") return [directory];
  return [directory, join(dirname(directory), "lib")];
}
