import { type ConfinedContext, confinedCodeFor } from "#lib/code/confined/confined-code.ts";
import { resolveSource } from "#lib/code/source/resolve-source.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import { outboundRules } from "#lib/platform/outbound/resolve-host.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

/** What sources take of the message that is being worked on. */
interface SourceContext extends ConfinedContext {
  /** Of the message's tenant. */
  blobs: BlobStore;
}

interface TracedContext extends SourceContext {
  span<Result>(name: string, attributes: SpanAttributes, work: () => Promise<Result>): Promise<Result>;
}

/** The ports of fetching and unpacking sources, for one message, with the limits in force now. */
export function sourcePortsOf(context: SourceContext): SourcePorts {
  const { stage } = config.environment();
  return {
    blobs: context.blobs,
    signal: context.signal,
    deadline_ms: Date.parse(context.envelope.deadline_at),
    limits: config.sandboxLimits().value,
    git_limits: config.computationLimits().value.git,
    outbound: outboundRules(config.outbound().value, stage),
    unpackArchive: confinedCodeFor(context).unpackArchive,
  };
}

/** `resolveSource` and `unpackSource` for one message, each in a span. */
export function sourcesOf(context: TracedContext) {
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
