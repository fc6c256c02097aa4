import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, statfsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { holdPipes, type OutputPipes, PIPE_NAMES } from "#lib/sandbox/volume/output-pipes.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import { type DiskUsage, scratchDirectories, type Volume } from "#lib/sandbox/volume/volume.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/**
 * Added to the limits, beyond which the kernel refuses: for the sandbox's own files, and so that a volume which a command
 * has filled is seen to exceed its limit.
 */
const SLACK_BYTES = 1024 * 1024;
const SLACK_INODES = 1000;
const READY_MS_MAX = 10_000;

/** Directories that exist everywhere and hold no program. The volume is mounted over one, visible to the holder only. */
const MOUNT_POINTS = ["/mnt", "/media", "/srv", "/opt", "/home"];

/** Runs until its input ends: when the job ends, or when the worker dies in any way. */
const HOLD = `mount -t tmpfs -o "size=$1,nr_inodes=$2,mode=755,nosuid,nodev,strictatime" sandbox "$3" && cd "$3" && mkfifo -m 600 ${PIPE_NAMES.join(" ")} && cd / || exit 1
echo ready; read -r _`;

/**
 * Opens a tmpfs of the profile's size in a mount namespace that a shell (the holder) keeps open. The mounts of the
 * machine do not change, and the kernel frees everything when the holder ends. The worker reaches the tmpfs through an
 * open directory, so that a reused pid cannot redirect it. Files that `furnish` writes are not counted.
 * https://docs.kernel.org/filesystems/tmpfs.html Throws SandboxUnavailable.
 */
export async function openSealedVolume(
  profile: SandboxProfile,
  furnish: (scratch: string) => void,
): Promise<Volume> {
  const mounted_at = mountPoint(profile);
  const holder = startHolder(profile, mounted_at);
  const handles: FileHandle[] = [];
  let pipes: OutputPipes | undefined;
  const close = async () => {
    pipes?.close();
    holder.stdin?.end();
    holder.kill("SIGKILL");
    await Promise.all(handles.map((handle) => handle.close()));
    if (holder.pid !== undefined && holder.exitCode === null && holder.signalCode === null) {
      await once(holder, "exit");
    }
  };
  try {
    await ready(holder);
    const at = `/proc/${holder.pid}`;
    for (const path of [join(`${at}/root`, mounted_at), `${at}/ns/user`, `${at}/ns/mnt`]) {
      handles.push(await open(path));
    }
    const [root = "", user = "", mount = ""] = handles.map(({ fd }) => `/proc/${process.pid}/fd/${fd}`);
    const volume = { tree: join(root, "tree"), scratch: join(root, "scratch") };
    const directories = [volume.tree, ...Object.values(scratchDirectories(volume.scratch))];
    for (const directory of directories) mkdirSync(directory, { recursive: true });
    furnish(volume.scratch);
    const held = holdPipes(root);
    pipes = held;
    const own = inUse(root);
    return {
      ...volume,
      namespace: { user, mount, mounted_at },
      pipes: held,
      usage: () => {
        const now = inUse(root);
        return { bytes: now.bytes - own.bytes, inodes: now.inodes - own.inodes };
      },
      close,
    };
  } catch (cause) {
    await close();
    throw new SandboxUnavailable("the file system of the sandbox could not be mounted", {
      cause,
    });
  }
}

/** From statfs(2), which also counts deleted files that are still open. */
function inUse(root: string): DiskUsage {
  const { blocks, bfree, bsize, files, ffree } = statfsSync(root);
  return { bytes: (blocks - bfree) * bsize, inodes: files - ffree };
}

function mountPoint({ filesystem, environment }: SandboxProfile): string {
  const needed = [
    process.execPath,
    ...Object.values(filesystem).flat(),
    ...(environment.PATH ?? "").split(":"),
    import.meta.dirname,
  ];
  const found = MOUNT_POINTS.find(
    (path) => existsSync(path) && !needed.some((each) => each === path || each.startsWith(`${path}/`)),
  );
  if (found) return found;
  throw new SandboxUnavailable(
    `the sandbox mounts its file system over one of ${MOUNT_POINTS.join(", ")}, but each of them is missing or holds files that the profile needs`,
  );
}

function startHolder({ disk_bytes_max, inodes_max }: SandboxProfile, mounted_at: string): ChildProcess {
  const size = [disk_bytes_max + SLACK_BYTES, inodes_max + SLACK_INODES].map(String);
  const namespaces = ["--user", "--map-root-user", "--mount", "--propagation", "private"];
  const holder = spawnProgram(
    "unshare",
    [...namespaces, "/bin/sh", "-c", HOLD, "/bin/sh", ...size, mounted_at],
    {
      cwd: "/",
      detached: true,
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", [MARKER_NAME]: `${workerMark()}-holder` },
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  holder.stdin?.on("error", () => {});
  return holder;
}

async function ready(holder: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(READY_MS_MAX);
  const ended = new AbortController();
  holder.once("exit", (code) => ended.abort(new Error(`the holder ended with exit code ${code}`)));
  holder.once("error", (error) => ended.abort(error));
  await once(holder.stdout as Readable, "data", { signal: AbortSignal.any([signal, ended.signal]) });
}
