import type { Fault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";

/** The log says where the graph is and what to do; who asks need not know. */
export function queryFailure({ code }: Fault): HttpError {
  if (code.startsWith("SNAPSHOT_")) {
    return new HttpError(
      500,
      "INDEX_UNREADABLE",
      "the index of this repository cannot be read; index it again",
    );
  }
  const sentence = "the code graph cannot be asked for now; ask again in a few seconds";
  return new HttpError(503, "GRAPH_UNAVAILABLE", sentence, undefined, { "retry-after": "5" });
}
