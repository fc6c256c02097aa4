import type { TaskView } from "#schemas/http/task-view.ts";
import { send } from "../../app/api.ts";
import { type Loaded, useLoaded } from "../../app/load.ts";

type Artifact = TaskView["artifacts"][number];

/** The text of an artifact; `too_large` where the API sends one elsewhere for it, which only a link can follow. */
export interface ArtifactText {
  text: string;
  too_large: boolean;
}

export function findArtifact(task: TaskView, path: string): Artifact | undefined {
  return task.artifacts.find((each) => each.path === path);
}

async function readText({ href }: Artifact, signal?: AbortSignal): Promise<ArtifactText> {
  const response = await send(href, { signal });
  if (response.type === "opaqueredirect") return { text: "", too_large: true };
  return { text: await response.text(), too_large: false };
}

/** Loads an artifact's text; a later round that replaces it is loaded again. */
export function useArtifactText(artifact: Artifact): Loaded<ArtifactText> {
  return useLoaded(`${artifact.href}#${artifact.sha256}`, (signal) => readText(artifact, signal));
}
