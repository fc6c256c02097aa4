import type { AgentContext } from "#lib/agent/agent.ts";
import { documentClient } from "#lib/aws/clients.ts";
import { config } from "#lib/config/config.ts";
import { applyDiff } from "#lib/diff/apply-diff.ts";
import { minilmEmbedder } from "#lib/embedding/minilm-embedder.ts";
import { dynamodbSnapshotPointers } from "#lib/graph/dynamodb-snapshot-pointers.ts";
import { embeddedGraphStore } from "#lib/graph/embedded-graph-store.ts";
import { resolveSource } from "#lib/source/resolve-source.ts";
import type { SourcePorts } from "#lib/source/source-ports.ts";
import { unpackSource } from "#lib/source/unpack-source.ts";
import type { IndexPorts } from "./index-repository.ts";

/** What `indexRepository` runs on, on every stage. */
export function dependencies({ blobs, signal, span }: AgentContext): IndexPorts {
  const { table_name, allow_private_git_hosts } = config.environment();
  const source: SourcePorts = {
    blobs,
    signal,
    limits: config.sandboxLimits().value,
    allow_private_hosts: allow_private_git_hosts,
  };
  return {
    resolveSource: (reference) =>
      span("resolve source", { "agents.source.kind": reference.kind }, () =>
        resolveSource(reference, source),
      ),
    unpackSource: (archive, directory) =>
      span("unpack", { "agents.source.bytes": archive.bytes }, () =>
        unpackSource(archive, directory, source),
      ),
    applyDiff: (directory, diff) => span("apply diff", {}, () => applyDiff(directory, diff)),
    graph: embeddedGraphStore({
      blobs: () => blobs,
      pointers: dynamodbSnapshotPointers(documentClient(), table_name),
    }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
  };
}
