import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

const MIB = 1024 * 1024;

/** Limits that an honest small command stays far below. */
export function generousProfile(limits: Partial<SandboxProfile> = {}): SandboxProfile {
  return {
    wall_seconds: 50,
    cpu_seconds: 30,
    output_bytes_max: MIB,
    processes_max: 200,
    memory_bytes_max: 1024 * MIB,
    open_files_max: 1024,
    file_bytes_max: 64 * MIB,
    disk_bytes_max: 128 * MIB,
    inodes_max: 10_000,
    isolation_minimum: "reduced",
    network: { mode: "none" },
    install_network: { mode: "none" },
    filesystem: { read_only: [], read_write: [], hidden: [] },
    environment: { CI: "true", PATH: "/usr/local/bin:/usr/bin:/bin" },
    ...limits,
  };
}
