import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { type DeployedStorePorts, deployedGraphStore } from "#lib/code/graph/deployed-graph-store.ts";
import { snapshotCache } from "#lib/code/graph/snapshot-cache.ts";
import type { ApiRequest } from "#lib/http/route.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import { isDeployed } from "#lib/platform/settings/environment.ts";
import type { QueryPorts } from "./answer-query.ts";

/** A word index takes about twice its snapshot; the function has 2 GB. */
const cache = snapshotCache({ entries_max: 16, bytes_max: 256 * 1024 * 1024 });

type Asked = Pick<ApiRequest<unknown, unknown>, "tenant" | "log" | "counters" | "platform">;

if (isDeployed()) minilmEmbedder().warm(); // while Lambda initializes the environment

/** The ports of `answerQuery`, the same on every stage. */
export function dependencies({ tenant, log, counters, platform }: Asked): QueryPorts {
  const guard = platform.guard?.with({ log, counters });
  const call: DeployedStorePorts["call"] = (dependency, work) =>
    guard
      ? guard.call({ service: "retrieval", role: "http", tenant, dependency, attempt: 1 }, work)
      : work(new AbortController().signal);
  return {
    graph: deployedGraphStore({ blobs: (owner) => s3Blobs({ tenant: owner }), cache, call }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
    log,
    count: (metric) => counters.count(metric, tenant),
  };
}
