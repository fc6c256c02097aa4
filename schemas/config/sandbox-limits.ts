import { z } from "zod";

const AbsolutePath = z
  .string()
  .max(1024)
  .regex(/^\/(?!$)(?!.*\/\/)(?!.*\/\.{1,2}(?:\/|$))[^\0]*[^/\0]$/)
  .describe("an absolute path without . or ..");

const HostAndPort = z
  .string()
  .regex(/^[a-z0-9.-]+(?::\d{1,5})?$/)
  .describe("a host name, and a port unless it is 443");

const AddressRange = z
  .union([z.cidrv4(), z.cidrv6()])
  .describe("addresses in CIDR notation, for example 10.4.0.0/16");

export const AllowedNetwork = z.strictObject({
  mode: z.literal("allow").describe("TLS to the hosts named, through a filtering proxy"),
  hosts: z.array(HostAndPort).max(100).describe("hosts with public addresses"),
  npm_registry: z
    .boolean()
    .describe("also the registry that the worker's own npm is configured with; npm inside is told of it"),
  private_hosts: z
    .record(HostAndPort, z.array(AddressRange).min(1).max(20))
    .describe("hosts that may have an address that is not public, and which: a registry of your own"),
  bytes_max: z.int().positive().describe("bytes through the proxy in one command, both directions together"),
  connections_max: z.int().positive().max(1000).describe("connections to the proxy at once"),
});
export type AllowedNetwork = z.infer<typeof AllowedNetwork>;

const Network = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("none").describe("nothing but loopback") }),
  AllowedNetwork,
]);

export const FilesystemAccess = z.strictObject({
  read_only: z
    .array(AbsolutePath)
    .max(100)
    .describe("paths of the machine shown beside the system's programs"),
  read_write: z
    .array(AbsolutePath)
    .max(100)
    .describe(
      "paths of the machine that may be written; what is written there is outside the disk limits and stays",
    ),
  hidden: z
    .array(AbsolutePath)
    .max(100)
    .describe("paths covered by an empty decoy; reading one ends the run with SANDBOX_PATH_DENIED"),
});

export const SandboxProfile = z.strictObject({
  wall_seconds: z
    .number()
    .positive()
    .max(870)
    .describe("elapsed time of one command; an invocation has 900 s and writes its report in them"),
  cpu_seconds: z.number().positive().describe("CPU time of all its processes together"),
  output_bytes_max: z.int().positive().max(268_435_456).describe("bytes on stdout and stderr together"),
  processes_max: z.int().positive().describe("processes and threads alive at once"),
  memory_bytes_max: z.int().min(16_777_216).describe("resident memory of all its processes together"),
  open_files_max: z
    .int()
    .min(16)
    .max(262_144)
    .describe("files, sockets and pipes open at once in one process"),
  file_bytes_max: z.int().min(65_536).describe("size of any one file"),
  disk_bytes_max: z
    .int()
    .min(1_048_576)
    .max(68_719_476_736)
    .describe(
      "bytes in all files of the tree, home and temporary directory; with full isolation they are memory",
    ),
  inodes_max: z.int().min(100).max(10_000_000).describe("files, directories and links in these three"),
  isolation_minimum: z.enum(["full", "reduced"]).describe("refuse to run with less"),
  network: Network.describe("of builds, tests and runs: `none`, or the hosts a filtering proxy lets through"),
  install_network: Network.describe("the same for the command that installs dependencies"),
  filesystem: FilesystemAccess.describe(
    "what is to be seen beside the tree; only full isolation can hide anything",
  ),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .describe("the environment of the command; no variable of the worker is in it"),
});
export type SandboxProfile = z.infer<typeof SandboxProfile>;

/** `configs/sandbox_limits.json`: named limits for untrusted commands. */
export const SandboxLimitsConfig = z
  .strictObject({
    $schema: z.string(),
    source_bytes_max: z.int().positive().describe("size of an uploaded archive"),
    tree_bytes_max: z.int().positive().describe("size of an unpacked tree"),
    tree_files_max: z.int().positive().describe("files in an unpacked tree"),
    profiles: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/), SandboxProfile),
  })
  .refine(({ source_bytes_max, tree_bytes_max }) => source_bytes_max <= tree_bytes_max, {
    path: ["source_bytes_max"],
    error: "source_bytes_max must not exceed tree_bytes_max: an archive unpacks to more",
  })
  .refine(({ profiles }) => Object.hasOwn(profiles, "standard"), {
    path: ["profiles"],
    error: "there must be a profile `standard`: a submission that names none gets it",
  });
export type SandboxLimitsConfig = z.infer<typeof SandboxLimitsConfig>;
