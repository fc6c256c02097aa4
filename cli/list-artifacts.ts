import { ArtifactIndex } from "#schemas/http/task-view.ts";
import { artifactTable } from "./render/artifact-table.ts";
import type { Session } from "./session.ts";

/** Which artifact sets to list; what is absent does not matter. */
export interface ArtifactFilters {
  task?: string | undefined;
  kind?: string | undefined;
  producer?: string | undefined;
  verdict?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  latest?: boolean | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** Lists the artifact sets of the tenant, newest first, and how to go on. */
export async function listArtifacts(session: Session, filters: ArtifactFilters): Promise<void> {
  const { cursor, ...lasting } = filters;
  const given = Object.entries(lasting).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  // Instants, not spans: a cursor holds for the very same filters.
  const words = given.filter(([name]) => name !== "task").map(([name, value]) => optionWords(name, value));
  const again = ["agents artifacts", filters.task, ...words].filter(Boolean).join(" ");
  if (cursor !== undefined) query.set("cursor", cursor);
  const index = await session.api.get(ArtifactIndex, `/api/artifacts/index?${query}`);
  session.answer(index, () => artifactTable(index, session.terminal.paint, Date.now(), again));
}

function optionWords(name: string, value: unknown): string {
  return value === true ? `--${name}` : `--${name} ${value}`;
}
