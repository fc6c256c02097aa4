import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import type { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/** The ports of an agent that runs submitted commands on a source in the sandbox. */
export interface SandboxPorts {
  /** The limits in force, and the hash of the configuration file they come from. */
  sandboxLimits(): { value: SandboxLimitsConfig; hash: string };
  /** Stores a source as an archive named by its content. Throws RejectedInput `GIT_*` and `SOURCE_*`. */
  resolveSource(source: SourceRef): Promise<{ kind: "archive"; blob: BlobRef }>;
  /** Throws RejectedInput `ARCHIVE_*`. */
  unpackSource(archive: BlobRef, directory: string): Promise<void>;
  /** The strongest backend that works on this machine, unless given. */
  backend?: SandboxBackend;
}
