import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import type { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/** What running a command needs of its surroundings. */
export interface SandboxPorts {
  /** The limits in force, and the hash of the policy they come from. */
  sandboxLimits(): { value: SandboxLimitsConfig; hash: string };
  /** A source as an archive by content. Throws RejectedInput `GIT_*` and `SOURCE_*`. */
  resolveSource(source: SourceRef): Promise<{ kind: "archive"; blob: BlobRef }>;
  /** Throws RejectedInput `ARCHIVE_*`. */
  unpackSource(archive: BlobRef, directory: string): Promise<void>;
  /** The strongest that works here unless given. */
  backend?: SandboxBackend;
}
