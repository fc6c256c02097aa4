import type { AgentContext } from "#lib/agent/agent.ts";
import { s3Blobs } from "#lib/artifacts/s3-blobs.ts";
import { config } from "#lib/config/config.ts";
import { applyDiff } from "#lib/diff/apply-diff.ts";
import { minilmEmbedder } from "#lib/embedding/minilm-embedder.ts";
import { deployedGraphStore } from "#lib/graph/deployed-graph-store.ts";
import { sourcesOf } from "#lib/source/sources-of.ts";
import type { IndexPorts } from "./index-repository.ts";

/** What `indexRepository` runs on, on every stage. */
export function dependencies(context: AgentContext): IndexPorts {
  return {
    ...sourcesOf(context),
    applyDiff,
    graph: deployedGraphStore({
      blobs: (tenant) => s3Blobs({ tenant, snapshots: true }),
      call: context.call,
    }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
  };
}
