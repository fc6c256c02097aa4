import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { resolveSource } from "#lib/code/source/resolve-source.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { config } from "#lib/platform/config/config.ts";
import { outboundRules } from "#lib/platform/outbound/outbound-rules.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/** What fetching and unpacking sources runs on, for one message: its tenant's blobs, the limits in force now. */
export function sourcePortsOf({ blobs, signal }: Pick<AgentContext, "blobs" | "signal">): SourcePorts {
  const { stage } = config.environment();
  return {
    blobs,
    signal,
    limits: config.sandboxLimits().value,
    outbound: outboundRules(config.outbound().value, stage),
  };
}

/** `resolveSource` and `unpackSource` for one message, each in a span. */
export function sourcesOf(context: Pick<AgentContext, "blobs" | "signal" | "span">) {
  const ports = sourcePortsOf(context);
  return {
    resolveSource: (source: SourceRef) =>
      context.span("resolve source", { "agents.source.kind": source.kind }, () =>
        resolveSource(source, ports),
      ),
    unpackSource: (archive: BlobRef, directory: string) =>
      context.span("unpack", { "agents.source.bytes": archive.bytes }, () =>
        unpackSource(archive, directory, ports),
      ),
  };
}
