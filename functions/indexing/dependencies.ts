import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { confinedCodeFor } from "#lib/code/confined/confined-code.ts";
import { readTreeByFile } from "#lib/code/confined/read-tree-by-file.ts";
import { sourcesOf } from "#lib/code/confined/sources-of.ts";
import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { deployedGraphStore } from "#lib/code/graph/deployed-graph-store.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import { isDeployed } from "#lib/platform/settings/environment.ts";
import type { IndexPorts } from "./index-repository.ts";

if (isDeployed()) minilmEmbedder().warm(); // while Lambda initializes the environment

/** The ports of `indexRepository`, the same on every stage. */
export function dependencies(context: AgentContext): IndexPorts {
  return {
    ...sourcesOf(context),
    code: {
      applyDiff: confinedCodeFor(context).applyDiff,
      readTree: (directory, limits) => readTreeByFile(directory, limits, context),
    },
    graph: deployedGraphStore({
      blobs: (tenant) => s3Blobs({ tenant, snapshots: true }),
      call: context.call,
    }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
  };
}
