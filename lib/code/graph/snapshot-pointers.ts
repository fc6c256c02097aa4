import { z } from "zod";
import { GRAPH_POINTER } from "#lib/platform/table/items.ts";
import { keyOf, listingOf } from "#lib/platform/table/keys.ts";
import { getItem, NEW, putIf, type TablePorts } from "#lib/platform/table/operations.ts";
import { BlobRef, Sha256 } from "#schemas/primitives.ts";

/** Names the current snapshot of a repository. */
const SnapshotPointer = z.object({
  version: z.int().min(1).describe("grows by one with each move"),
  revision: Sha256,
  blob: BlobRef,
});
export type SnapshotPointer = z.infer<typeof SnapshotPointer>;

export interface SnapshotPointers {
  get(tenant: string, repository: string): Promise<SnapshotPointer | undefined>;
  /**
   * Moves the pointer if it still has `expected_version` (undefined: it does not exist yet). False when
   * it has another version.
   */
  move(
    tenant: string,
    repository: string,
    next: SnapshotPointer,
    expected_version: number | undefined,
  ): Promise<boolean>;
}

/** Pointers in the table. Tenant names contain no `#`, so keys of two tenants never collide. */
export function dynamodbSnapshotPointers(ports: TablePorts): SnapshotPointers {
  return {
    async get(tenant, repository) {
      const found = await getItem(keyOf(GRAPH_POINTER, { tenant, repository }), ports);
      return found && SnapshotPointer.parse(found);
    },

    move(tenant, repository, next, expected_version) {
      const place = { tenant, repository };
      const item = {
        ...keyOf(GRAPH_POINTER, place),
        ...listingOf(GRAPH_POINTER, "by_tenant", place),
        ...next,
      };
      const same_version = { condition: "#version = :expected", values: { expected: expected_version } };
      return putIf(item, expected_version === undefined ? NEW : same_version, ports);
    },
  };
}
