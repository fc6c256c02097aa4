import { endianness } from "node:os";

interface Architecture {
  /** AUDIT_ARCH of linux/audit.h. */
  audit: number;
  calls: Record<DeniedCall | ProcessCall | "socket", number>;
}

/** Calls that act on the process they name, and the argument that names it. */
const PROCESS_ARGUMENTS = {
  ptrace: 1,
  process_vm_readv: 0,
  process_vm_writev: 0,
  migrate_pages: 0,
  move_pages: 0,
  prlimit64: 0,
};

type ProcessCall = keyof typeof PROCESS_ARGUMENTS;

type DeniedCall =
  | "shmget"
  | "shmat"
  | "shmctl"
  | "semget"
  | "msgget"
  | "memfd_create"
  | "memfd_secret"
  | "add_key"
  | "request_key"
  | "keyctl"
  | "bpf"
  | "perf_event_open"
  | "userfaultfd"
  | "io_uring_setup"
  | "io_uring_enter"
  | "io_uring_register"
  | "open_by_handle_at"
  | "kexec_load"
  | "kcmp"
  | "pidfd_getfd"
  | "process_madvise";

/** Numbers from the kernel's system call tables. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    calls: {
      ...{ shmget: 29, shmat: 30, shmctl: 31, socket: 41, semget: 64, msgget: 68, memfd_create: 319 },
      ...{ memfd_secret: 447, add_key: 248, request_key: 249, keyctl: 250, bpf: 321, perf_event_open: 298 },
      ...{ userfaultfd: 323, io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
      ...{ open_by_handle_at: 304, kexec_load: 246, kcmp: 312, pidfd_getfd: 438, process_madvise: 440 },
      ...{ ptrace: 101, process_vm_readv: 310, process_vm_writev: 311, migrate_pages: 256 },
      ...{ move_pages: 279, prlimit64: 302 },
    },
  },
  arm64: {
    audit: 0xc00000b7,
    calls: {
      ...{ shmget: 194, shmat: 196, shmctl: 195, socket: 198, semget: 190, msgget: 186, memfd_create: 279 },
      ...{ memfd_secret: 447, add_key: 217, request_key: 218, keyctl: 219, bpf: 280, perf_event_open: 241 },
      ...{ userfaultfd: 282, io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
      ...{ open_by_handle_at: 265, kexec_load: 104, kcmp: 272, pidfd_getfd: 438, process_madvise: 440 },
      ...{ ptrace: 117, process_vm_readv: 270, process_vm_writev: 271, migrate_pages: 238 },
      ...{ move_pages: 239, prlimit64: 261 },
    },
  },
};

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: those that a network namespace confines. */
const FAMILIES = [1, 2, 10, 16];
/** On x64, calls of the x32 ABI have this bit and numbers of their own. */
const X32_BIT = 0x40000000;

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
/** Offsets in `struct seccomp_data`. */
const CALL = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const ARGUMENT_BYTES = 8;

/** `bwrap` itself inside the sandbox: the parent of the command, with the command's user id. */
const FIRST_PROCESS = 1;

/**
 * A seccomp program for what namespaces do not cover: memory that belongs to no process (System V
 * shared memory, memfd), kernel keyrings, sockets outside the network namespace (AF_VSOCK leads to
 * the host of a virtual machine), calls known for holes, and calls that reach into another process by a descriptor of
 * it. They fail as if the kernel were too old. Calls that act on a process by its pid fail for the sandbox's first
 * process alone (EPERM), so that a debugger works on every other. Another architecture's calls end the process.
 * Null where the numbers are not known.
 * https://docs.kernel.org/userspace-api/seccomp_filter.html
 */
export function systemCallFilter(architecture: NodeJS.Architecture = process.arch): Buffer | null {
  const known = ARCHITECTURES[architecture];
  if (!known || endianness() !== "LE") return null;
  const { socket, ...others } = known.calls;
  const lines: FilterLine[] = [
    [LOAD, 0, 0, ARCHITECTURE],
    [JUMP_EQUAL, 1, 0, known.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, CALL],
    [JUMP_AT_LEAST, 0, 1, X32_BIT],
    [RETURN, 0, 0, ERRNO | ENOSYS],
  ];
  for (const [name, number] of Object.entries(others)) {
    const argument = PROCESS_ARGUMENTS[name as ProcessCall] as number | undefined;
    if (argument === undefined) lines.push([JUMP_EQUAL, 0, 1, number], [RETURN, 0, 0, ERRNO | ENOSYS]);
    else lines.push(...withoutFirstProcess(number, argument));
  }
  lines.push([JUMP_EQUAL, 1, 0, socket], [RETURN, 0, 0, ALLOW], [LOAD, 0, 0, FIRST_ARGUMENT]);
  for (const family of FAMILIES) lines.push([JUMP_EQUAL, 0, 1, family], [RETURN, 0, 0, ALLOW]);
  lines.push([RETURN, 0, 0, ERRNO | EAFNOSUPPORT]);
  return encode(lines);
}

/** A pid is the lower half of its argument: the kernel ignores the rest. */
function withoutFirstProcess(call: number, argument: number): FilterLine[] {
  return [
    [JUMP_EQUAL, 0, 4, call],
    [LOAD, 0, 0, FIRST_ARGUMENT + argument * ARGUMENT_BYTES],
    [JUMP_EQUAL, 0, 1, FIRST_PROCESS],
    [RETURN, 0, 0, ERRNO | EPERM],
    [RETURN, 0, 0, ALLOW],
  ];
}

type FilterLine = [code: number, jump_true: number, jump_false: number, value: number];

/** `struct sock_filter`, eight bytes each. */
function encode(lines: readonly FilterLine[]): Buffer {
  const program = Buffer.alloc(lines.length * 8);
  for (const [index, [code, jump_true, jump_false, value]] of lines.entries()) {
    program.writeUInt16LE(code, index * 8);
    program.writeUInt8(jump_true, index * 8 + 2);
    program.writeUInt8(jump_false, index * 8 + 3);
    program.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return program;
}
